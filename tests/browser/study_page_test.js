// The page of a study under a reader's hands, in Chromium: `node study_page_test.js PAGE`, run by
// tests/cli/study_page_test.cpp. Charts are canvases: their points are found by colour, as a reader finds them.
const assert = require('node:assert/strict');
const { after, before, beforeEach, test } = require('node:test');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { chromium } = require('playwright-core');

const address = pathToFileURL(process.argv[2]).href;
const kFront = [0xd1, 0x49, 0x5b], kOther = [0x7a, 0x9c, 0xc6];

let browser, page, study, troubles;

before(async () => {
  browser = await chromium.launchPersistentContext(path.resolve('browser'), {
    executablePath: process.env.CHROMIUM, headless: true, viewport: { width: 1200, height: 4000 },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync'],
  });
  browser.on('request', (request) => request.url() === address || request.url().startsWith('data:') ||
                                     troubles.push(`asked for ${request.url()}`));
});
after(() => browser?.close());

// Each test starts from the page as it opens and ends without a word on the console or a request.
beforeEach(async () => {
  await page?.close();
  troubles = [];
  page = await browser.newPage();
  page.on('console', (message) => troubles.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => troubles.push(String(error)));
  await page.goto(address);
  await page.locator('body[data-ready=true]').waitFor();
  study = JSON.parse(await page.locator('#study').textContent());
});
const promise = (name, body) => test(name, async () => {
  await body();
  assert.deepEqual(troubles, []);
});

// What `read` gives, once `holds` of it; the last of it where that does not come about.
const eventually = async (read, holds) => {
  const deadline = Date.now() + 20000;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > deadline) return value;
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
};
const drawing = (chart) => page.locator(`#${chart} canvas`).evaluate((canvas) => canvas.toDataURL());
const rows = () => page.locator('tbody tr[tabindex]').evaluateAll(
  (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
const headings = () => page.locator('th button').allTextContents();
const chosen = () => page.locator('.detail h3').first().textContent();

// Middles of the filled discs of one colour in a chart, below its legend, in the page's coordinates.
const discs = async (chart, color) => {
  const found = await page.locator(`#${chart} canvas`).evaluate((canvas, [red, green, blue]) => {
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const data = copy.getImageData(0, 0, width, height).data;
    // The colour over white, as translucent as the chart may draw it.
    const is = (x, y) => {
      const at = 4 * (y * width + x), opacity = data[at + 3] / 255;
      const near = (got, want) => Math.abs(got - want) < 12;
      return opacity > 0.6 && near(data[at], red) && near(data[at + 1], green) && near(data[at + 2], blue);
    };
    const middles = [];
    for (let y = 40; y < height - 3; ++y) {
      for (let x = 3; x < width - 3; ++x) {
        const isDisc = [-2, 0, 2].every((up) => [-2, 0, 2].every((right) => is(x + right, y + up)));
        if (isDisc && middles.every(([l, t]) => Math.hypot(l - x, t - y) > 12)) middles.push([x + 1, y + 1]);
      }
    }
    return middles;
  }, color);
  const box = await page.locator(`#${chart}`).boundingBox();
  return found.map(([x, y]) => ({ x: box.x + x, y: box.y + y }));
};
const tooltip = async (chart, at) => {
  await page.mouse.move(at.x, at.y);
  const shown = page.locator(`#${chart} > div`).filter({ hasText: /\S/ });
  await shown.waitFor();
  return shown.innerText();
};

promise('opens with a row for each point of the front and texts of the study as text', async () => {
  assert.equal((await rows()).length, study.front.length);
  assert.equal(await page.locator('canvas').count(), 3);
  assert.equal(await page.locator('h1').textContent(), study.study);
  assert.equal(await page.title(), study.study);
  assert.equal(await page.locator('h1 *, .description *').count(), 0);
});

promise('a click on a point of the scatter shows its settings, figures and roofline', async () => {
  const roofline = await drawing('roofline');
  for (const color of [kFront, kOther]) {
    const points = await discs('scatter', color);
    assert.ok(points.length > 0, `no point of colour ${color}`);
    const at = points.at(-1);
    const [, number] = (await tooltip('scatter', at)).match(/^point (\d+)/);
    await page.mouse.click(at.x, at.y);
    assert.equal(await eventually(chosen, (text) => text === `Point ${number}`), `Point ${number}`);
    const point = study.points.find((p) => p.number === Number(number));
    const settings = await page.locator('.detail table').first().locator('td:last-child').allTextContents();
    assert.deepEqual(settings, point.labels);
    assert.equal(await page.locator('tr.chosen').count(), point.front ? 1 : 0);
  }
  assert.notEqual(await eventually(() => drawing('roofline'), (now) => now !== roofline), roofline);
  const [workload] = await discs('roofline', kFront);
  assert.match(await tooltip('roofline', workload), /flop\/byte/);
});

promise('a click keeps what the reader has zoomed to', async () => {
  const places = async () => (await discs('scatter', kFront))
      .map(({ x, y }) => `${Math.round(x / 8)},${Math.round(y / 8)}`).join(' ');
  const whole = await places();
  const [middle] = await discs('scatter', kFront);
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.wheel(0, -400);
  await eventually(places, (now) => now !== whole);
  await page.mouse.move(0, 0);  // a point below the mouse is drawn larger
  const zoomed = await places();
  assert.notEqual(zoomed, whole);
  const before = await chosen();
  await page.locator('tbody tr').last().click();
  await eventually(chosen, (text) => text !== before);
  assert.equal(await places(), zoomed);
});

promise('a range picked on an axis narrows the table and the scatter, a click on the axis lets all back', async () => {
  const all = await rows();
  const points = (await discs('scatter', kFront)).length;
  const box = await page.locator('#parallel').boundingBox();
  const top = box.y + 60, bottom = box.y + box.height - 30, first = box.x + 70, last = box.x + box.width - 110;
  const drag = async (axis, from, to) => {
    await page.mouse.move(axis, from);
    await page.mouse.down();
    await page.mouse.move(axis, to, { steps: 8 });
    await page.mouse.up();
  };
  await drag(last, bottom - 3, bottom - 130);
  const some = await eventually(rows, (now) => now.length < all.length);
  assert.ok(some.length > 0 && some.length < all.length, `${some.length} of ${all.length} rows`);
  const value = (cells) => parseFloat(cells.at(-1));
  const left = all.filter((row) => !some.some((kept) => kept.join() === row.join()));
  assert.ok(Math.max(...some.map(value)) < Math.min(...left.map(value)), 'the low ones of the last objective');
  await eventually(() => discs('scatter', kFront), (now) => now.length < points);
  assert.ok((await discs('scatter', kFront)).length < points);
  await page.getByText(`${some.length} of ${all.length} points`).waitFor();

  await page.mouse.click(last, bottom - 200);
  assert.deepEqual(await eventually(rows, (now) => now.length === all.length), all);

  // The front alone has the highest bandwidth: the axis reaches to it.
  await drag(first, bottom - 2, top + 20);
  assert.deepEqual(await eventually(rows, (now) => now.length === 0), []);
  await page.mouse.click(first, top + 5);
  assert.deepEqual(await eventually(rows, (now) => now.length === all.length), all);
});

promise('a heading of the table sorts it, again the other way round', async () => {
  const names = await headings();
  const by = names.indexOf(study.objectives[0].name);
  const first = await rows();
  await page.locator('th button').nth(by).click();
  const other = await eventually(rows, (now) => now.join() !== first.join());
  assert.deepEqual(other, [...first].reverse());
});

promise('a row chooses its point, by mouse and by keyboard', async () => {
  const table = page.locator('tbody tr[tabindex]');
  const before = await chosen();
  await table.last().click();
  const clicked = await eventually(chosen, (text) => text !== before);
  assert.notEqual(clicked, before);
  await table.first().press('Enter');
  assert.notEqual(await eventually(chosen, (text) => text !== clicked), clicked);
  assert.match(await table.first().getAttribute('class'), /chosen/);
});

promise('the scatter is drawn by what the reader selects', async () => {
  for (const axis of [0, 1]) {
    const select = page.locator('.controls select').nth(axis);
    const was = await drawing('scatter');
    await select.selectOption(await select.locator('option').last().getAttribute('value'));
    assert.notEqual(await eventually(() => drawing('scatter'), (now) => now !== was), was);
  }
});
