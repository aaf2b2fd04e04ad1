// The page of a study: a scatter of its points with the front, parallel coordinates, a table, and of the point that is
// chosen its settings, figures and roofline. Reads the JSON that models/explore/render_html.cpp puts into the page.
import { LineChart, ParallelChart, ScatterChart } from 'echarts/charts';
import {
  DataZoomComponent, GridComponent, LegendComponent, ParallelComponent, TitleComponent, TooltipComponent,
} from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([LineChart, ParallelChart, ScatterChart, DataZoomComponent, GridComponent, LegendComponent, ParallelComponent,
     TitleComponent, TooltipComponent, CanvasRenderer]);

const study = JSON.parse(document.getElementById('study').textContent);
study.metrics.filter((m) => m.name.startsWith('tokens_per_s')).forEach((m) => { m.unit = 'tokens/s'; });
study.objectives.filter((o) => o.name.startsWith('tokens_per_s')).forEach((o) => { o.unit = 'tokens/s'; });
const colors = { front: '#d1495b', other: '#7a9cc6', outside: '#e6e6ea', chosen: '#1b1b1e', roof: '#30638e' };

const element = (tag, text, parent, className) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  if (parent) parent.append(made);
  return made;
};

// 1.25e12 B/s -> "1.25 TB/s"; money and rates of tokens take no prefix
const prefixes = [[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'],
                  [1e-9, 'n'], [1e-12, 'p']];
const show = (value, unit) => {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return value;
  const size = Math.abs(value);
  if (!unit || unit === 'USD' || unit.startsWith('tokens')) {
    const digits = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(3) : String(+value.toPrecision(5));
    return unit ? `${digits} ${unit}` : digits;
  }
  const [scale, prefix] = prefixes.find(([least]) => size >= least) ?? (size === 0 ? [1, ''] : prefixes.at(-1));
  return `${+(value / scale).toPrecision(4)} ${prefix}${unit}`;
};

// What a point can be drawn by: columns that vary, objectives, and each workload's metrics.
const quantities = [];
study.columns.forEach((column, i) => {
  if (column.varies) quantities.push({ name: column.label, unit: column.unit, of: (p) => p.numbers[i] ?? p.labels[i],
                                       isColumn: true, labels: (p) => p.labels[i] });
});
study.objectives.forEach((objective, i) => {
  quantities.push({ name: objective.name, unit: objective.unit, of: (p) => p.objectives?.[i],
                    note: objective.maximize ? 'more is better' : 'less is better', isObjective: true });
});
study.workloads.forEach((workload, w) => study.metrics.forEach((metric, m) => {
  if (study.objectives.some((o) => o.name === metric.name) && study.workloads.length === 1) return;
  if (!study.points.some((p) => p.metrics?.[w]?.[m] != null)) return;
  quantities.push({ name: study.workloads.length > 1 ? `${metric.name} of ${workload.name}` : metric.name,
                    unit: metric.unit, of: (p) => p.metrics?.[w]?.[m] });
}));

const metricOf = (point, name, workload = 0) => point.metrics?.[workload]?.[study.metrics.findIndex((m) => m.name === name)];
const feasible = study.points.filter((p) => p.objectives);
const front = study.front.map((i) => study.points[i]);
// Charts copy what they are given, so that they are given a point's place in the study.
study.points.forEach((point, at) => { point.at = at; });
let chosen = front[0] ?? feasible[0];
// Ranges picked on the parallel coordinates: of a quantity's values, or of their places among `categories`.
const picked = new Map();
const isPicked = (point) => [...picked].every(([quantity, { intervals, categories }]) => {
  const value = quantity.of(point) ?? NaN;
  const at = categories ? categories.indexOf(value) : value;
  return intervals.some(([low, high]) => low <= at && at <= high);
});

const root = document.getElementById('page');

const header = () => {
  element('h1', study.study, root);
  if (study.description) element('p', study.description, root, 'description');
  const facts = element('ul', undefined, root, 'facts');
  const fact = (text) => element('li', text, facts);
  fact(`${study.method.replaceAll('_', ' ')}, ${study.fidelity}`);
  fact(`${study.points_seen.toLocaleString('en')} points, ${study.feasible.toLocaleString('en')} feasible, ` +
       `${study.front.length} on the front`);
  if (!study.has_all_points) fact('of the points only the front and the best were kept');
  study.constraints.forEach((constraint) => fact(`constraint: ${constraint}`));
  if (study.workloads.length > 1) {
    fact(`${study.workloads.map((w) => `${w.name} (weight ${w.weight})`).join(', ')}: ${study.combine}`);
  }
  if (study.infeasible.length === 0) return;
  const details = element('details', undefined, root);
  element('summary', 'Why points are infeasible', details);
  const list = element('ul', undefined, details);
  study.infeasible.forEach(({ reason, points }) => element('li', `${points.toLocaleString('en')}: ${reason}`, list));
};

const choice = (parent, label, options, at, changed) => {
  const wrapper = element('label', `${label} `, parent);
  const select = element('select', undefined, wrapper);
  options.forEach((text, i) => {
    const option = element('option', text, select);
    option.value = i;
    option.selected = i === at;
  });
  select.addEventListener('change', () => changed(Number(select.value)));
  return select;
};

const charts = [];
const chart = (parent, height, title) => {
  if (title) element('h2', title, parent);
  const place = element('div', undefined, parent, 'chart');
  place.style.height = `${height}px`;
  const made = init(place);
  charts.push(made);
  return made;
};
window.addEventListener('resize', () => charts.forEach((c) => c.resize()));

const extentOf = (quantity, points) => points.map(quantity.of).filter((v) => typeof v === 'number')
    .reduce(([least, most], v) => [Math.min(least, v), Math.max(most, v)], [Infinity, -Infinity]);
const isLogarithmic = (quantity, points) => {
  const [least, most] = extentOf(quantity, points);
  return least > 0 && most / least > 20;
};
const axisOf = (quantity, points) => {
  const common = { name: quantity.name, nameLocation: 'middle', nameGap: 34, scale: true };
  if (points.some((p) => typeof quantity.of(p) === 'string')) return { ...common, type: 'category' };
  return { ...common, type: isLogarithmic(quantity, points) ? 'log' : 'value',
           axisLabel: { formatter: (v) => show(v, quantity.unit), hideOverlap: true } };
};
const describe = (point) => {
  const lines = [`point ${point.number}${point.front ? ', on the front' : ''}`];
  quantities.filter((q) => q.isColumn || q.isObjective).forEach((q) => {
    lines.push(`${q.name}: ${q.labels ? q.labels(point) : show(q.of(point), q.unit)}`);
  });
  return lines;
};
// Text of a study may hold anything; a tooltip is HTML.
const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const describeDrawn = ({ data }) => describe(study.points[data.at]).map(escaped).join('<br>');
const chooseDrawn = ({ data }) => data?.at !== undefined && choose(study.points[data.at]);

let scatter;
const axes = { x: Math.max(0, quantities.findIndex((q) => q.isObjective)), y: 0 };
axes.y = quantities.findIndex((q, i) => i > axes.x && (q.isObjective || !quantities.slice(axes.x + 1).some((o) => o.isObjective)));
if (axes.y < 0) axes.y = axes.x === 0 ? 0 : axes.x - 1;

const scatterSeries = () => {
  const x = quantities[axes.x], y = quantities[axes.y];
  const data = (points) => points.map((p) => ({ value: [x.of(p), y.of(p)], at: p.at }))
      .filter(({ value }) => value.every((v) => v !== null && v !== undefined));
  const line = data(front).sort((a, b) => a.value[0] - b.value[0]).map(({ value }) => value);
  const joins = x.isObjective && y.isObjective && study.objectives.length === 2;
  const others = feasible.filter((p) => !p.front);
  const dots = (name, color, points, more) => ({ id: name, name, type: 'scatter', symbolSize: 7, itemStyle: { color },
                                                 data: data(points), ...more });
  const large = feasible.length > 5000;
  return [
    dots('outside', colors.outside, feasible.filter((p) => !isPicked(p)), { large }),
    dots('feasible', colors.other, others.filter(isPicked), { large }),
    dots('front', colors.front, front.filter(isPicked), { symbolSize: 10 }),
    // Below the others: its ring is filled.
    dots('chosen', colors.chosen, chosen ? [chosen] : [], { symbolSize: 17, symbol: 'emptyCircle', silent: true, z: 1 }),
    { id: 'line', name: 'front', type: 'line', symbol: 'none', silent: true, lineStyle: { width: 1, color: colors.front },
      data: joins ? line : [] },
  ];
};
// Keeps what the reader has zoomed to.
const drawPoints = () => scatter.setOption({ series: scatterSeries() });
const drawScatter = () => {
  scatter.setOption({
    animation: false,
    grid: { left: 125, right: 30, top: 40, bottom: 60 },
    legend: { top: 0, data: ['feasible', 'front', 'chosen'] },
    tooltip: { formatter: describeDrawn },
    dataZoom: [{ type: 'inside', xAxisIndex: 0 }, { type: 'inside', yAxisIndex: 0 }],
    xAxis: axisOf(quantities[axes.x], feasible),
    yAxis: { ...axisOf(quantities[axes.y], feasible), nameGap: 105 },
    series: scatterSeries(),
  }, true);
};

const scatterSection = () => {
  const section = element('section', undefined, root);
  element('h2', 'Points', section);
  const controls = element('div', undefined, section, 'controls');
  const names = quantities.map((q) => (q.note ? `${q.name} (${q.note})` : q.name));
  choice(controls, 'across', names, axes.x, (i) => { axes.x = i; drawScatter(); });
  choice(controls, 'up', names, axes.y, (i) => { axes.y = i; drawScatter(); });
  scatter = chart(section, 430);
  scatter.getDom().id = 'scatter';
  scatter.on('click', chooseDrawn);
  drawScatter();
};

const parallelSection = () => {
  const shown = quantities.filter((q) => q.isColumn || q.isObjective);
  if (shown.length < 2 || feasible.length === 0) return;
  const section = element('section', undefined, root);
  const parallel = chart(section, 360, 'Parallel coordinates');
  parallel.getDom().id = 'parallel';
  element('p', 'Drag along an axis to pick a range: points outside of it fade, and leave the table of ' +
               'the front. A click on the axis lets them back.', section, 'hint');
  const most = 3000;  // lines that can still be told apart
  const others = feasible.filter((p) => !p.front);
  const step = Math.ceil(others.length / most);
  const lines = (name, color, points, opacity, width) => ({
    name, type: 'parallel', lineStyle: { color, opacity, width }, activeOpacity: opacity, inactiveOpacity: opacity / 10,
    data: points.map((p) => ({ value: shown.map((q) => q.of(p)), at: p.at })),
  });
  const parallelAxis = shown.map((quantity, dim) => {
    const { name, type, axisLabel = {} } = axisOf(quantity, feasible);
    const axis = { dim, id: String(dim), name, type, axisLabel, nameLocation: 'end' };
    if (type === 'category') return { ...axis, data: [...new Set(feasible.map(quantity.of))] };
    const [min, max] = extentOf(quantity, feasible);  // else those of the first series, which the front exceeds
    return min <= max ? { ...axis, min, max } : axis;
  });
  parallel.setOption({
    animation: false,
    tooltip: { formatter: describeDrawn },
    legend: { top: 0, data: ['feasible', 'front'] },
    parallel: { left: 70, right: 110, top: 60, bottom: 30,
                // With many points the page follows once the drag has ended.
                parallelAxisDefault: { nameTextStyle: { fontSize: 11 }, realtime: feasible.length <= 2000 } },
    parallelAxis,
    series: [
      lines('feasible', colors.other, others.filter((_, i) => i % step === 0), 0.25, 1),
      lines('front', colors.front, front, 0.9, 2),
    ],
  });
  parallel.on('click', chooseDrawn);
  parallel.on('axisareaselected', ({ parallelAxisId, intervals }) => {
    const dim = Number(parallelAxisId);
    picked.delete(shown[dim]);
    if (intervals.length) picked.set(shown[dim], { intervals, categories: parallelAxis[dim].data });
    drawPoints();
    fillTable();
  });
};

let rows = new Map();
let fillTable;
const tableSection = () => {
  const section = element('section', undefined, root);
  element('h2', 'Front', section);
  const count = element('p', '', section, 'hint');
  const shown = quantities.filter((q) => q.isColumn || q.isObjective);
  const wrapper = element('div', undefined, section, 'scrolls');
  const table = element('table', undefined, wrapper);
  const head = element('tr', undefined, element('thead', undefined, table));
  const body = element('tbody', undefined, table);
  let order = { by: shown.findIndex((q) => q.isObjective), descends: study.objectives[0]?.maximize ?? false };
  fillTable = () => {
    const by = shown[order.by];
    const listed = front.filter(isPicked);
    if (by) listed.sort((a, b) => {
      const [l, r] = [by.of(a), by.of(b)];
      return (l < r ? -1 : l > r ? 1 : 0) * (order.descends ? -1 : 1);
    });
    count.textContent = picked.size ? `${listed.length} of ${front.length} points lie in the ranges that are picked above.` : '';
    body.replaceChildren();
    rows = new Map();
    listed.forEach((point) => {
      const row = element('tr', undefined, body);
      rows.set(point, row);
      row.tabIndex = 0;
      shown.forEach((q) => element('td', q.labels ? q.labels(point) : show(q.of(point), q.unit), row));
      row.addEventListener('click', () => choose(point));
      row.addEventListener('keydown', (event) => event.key === 'Enter' && choose(point));
    });
    mark();
  };
  shown.forEach((q, i) => {
    const button = element('button', q.name, element('th', undefined, head));
    button.addEventListener('click', () => {
      order = { by: i, descends: order.by === i ? !order.descends : false };
      fillTable();
    });
  });
  fillTable();
};
const mark = () => rows.forEach((row, point) => row.classList.toggle('chosen', point === chosen));

let detail, roofline;
const detailSection = () => {
  const section = element('section', undefined, root);
  element('h2', 'Chosen point', section);
  detail = element('div', undefined, section, 'detail');
  roofline = chart(section, 340, 'Its roofline');
  roofline.getDom().id = 'roofline';
  element('p', 'Each workload of the point: its operations a second on one chip over its operations a byte of the ' +
               'device memory, under the peak of its format and the memory\'s bandwidth.', section, 'hint');
};

const drawDetail = () => {
  detail.replaceChildren();
  if (!chosen) return void element('p', 'No point of the study is feasible.', detail);
  const list = (title, entries) => {
    const box = element('div', undefined, detail);
    element('h3', title, box);
    const table = element('table', undefined, box);
    entries.forEach(([name, value]) => {
      const row = element('tr', undefined, table);
      element('td', name, row);
      element('td', value, row);
    });
  };
  list(`Point ${chosen.number}`, study.columns.map((column, i) => [column.label, chosen.labels[i]]));
  list('Objectives', study.objectives.map((o, i) => [o.name, show(chosen.objectives?.[i], o.unit)]));
  study.workloads.forEach((workload, w) => list(workload.name, study.metrics
      .map((metric, m) => [metric.name, chosen.metrics?.[w]?.[m], metric.unit])
      .filter(([, value]) => value != null).map(([name, value, unit]) => [name, show(value, unit)])));
};

const drawRoofline = () => {
  const points = study.workloads.map((workload, w) => ({
    name: workload.name,
    at: ['intensity_flops_per_byte', 'executed_flops_per_chip'].map((name) => chosen && metricOf(chosen, name, w)),
    peak: chosen && metricOf(chosen, 'peak_flops_per_chip', w),
    bandwidth: chosen && metricOf(chosen, 'memory_bandwidth_bytes_per_s', w),
  })).filter(({ at, peak, bandwidth }) => at.every((v) => v > 0) && peak > 0 && bandwidth > 0);
  const series = points.flatMap(({ name, at, peak, bandwidth }) => {
    const ridge = peak / bandwidth, low = Math.min(at[0], ridge) / 10, high = Math.max(at[0], ridge) * 10;
    return [
      { name: 'roof', type: 'line', symbol: 'none', silent: true, lineStyle: { color: colors.roof },
        data: [[low, low * bandwidth], [ridge, peak], [high, peak]] },
      { name, type: 'scatter', symbolSize: 13, data: [at], itemStyle: { color: colors.front },
        label: { show: true, formatter: name, position: 'bottom', color: colors.chosen } },
    ];
  });
  const axis = (name, unit) => ({ type: 'log', name, nameLocation: 'middle', nameGap: 34,
                                  axisLabel: { formatter: (v) => show(v, unit), hideOverlap: true } });
  roofline.setOption({
    animation: false,
    title: points.length ? undefined : { text: 'no figures of the memory\'s traffic', left: 'center', top: 'middle' },
    grid: { left: 125, right: 60, top: 20, bottom: 60 },
    tooltip: { formatter: ({ data }) => `${show(data[0])} flop/byte<br>${show(data[1], 'flop/s')}` },
    xAxis: axis('operations a byte', ''),
    yAxis: { ...axis('operations a second', 'flop/s'), nameGap: 105 },
    series,
  }, true);
};

const choose = (point) => {
  chosen = point;
  drawPoints();
  drawDetail();
  drawRoofline();
  mark();
};

header();
scatterSection();
parallelSection();
tableSection();
detailSection();
drawDetail();
drawRoofline();
document.body.dataset.ready = 'true';
