#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "models/predict/comparison_parts.hpp"
#include "models/predict/escape_xml.hpp"
#include "models/predict/page_parts.hpp"
#include "models/predict/render_comparison.hpp"
#include "models/predict/render_parts.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

// A column of numbers: what it is of a row, none where it has no such thing, and how it is said.
struct Column {
  const char* name;
  std::optional<double> (*value_of)(const Prediction&);
  std::string (*text_of)(double);
};

std::string three_digits(double x) { return fmt::format("{:.3g}", x); }

constexpr Column kColumns[] = {
    {"time", [](const Prediction& p) { return std::optional(p.evaluation.total.makespan.si()); },
     [](double s) { return format_short(Seconds(s)); }},
    {"tokens/s/chip", [](const Prediction& p) { return p.tokens_per_s_per_chip; },
     [](double x) { return fmt::format("{:.4g}", x); }},
    {"MFU", [](const Prediction& p) { return std::optional(p.mfu); }, percent},
    {"power/chip", [](const Prediction& p) { return std::optional(p.power_per_chip.si()); },
     [](double w) { return format_short(Watts(w)); }},
    {"J/token", energy_per_token, three_digits},
    {"USD/Mtok", dollars_per_million_tokens, three_digits},
    {"mm2/chip", [](const Prediction& p) { return p.silicon ? std::optional(p.silicon->area_mm2) : std::nullopt; },
     [](double x) { return fmt::format("{:.0f}", x); }},
};

std::string number_head(std::string_view text) { return fmt::format("<th class=\"n\">{}</th>", text); }

// A figure, and what is said of it in a second line, in that class.
std::string number_cell(const std::string& text, const std::string& below = "", std::string_view manner = "note") {
  return fmt::format("<td class=\"n\">{}{}</td>", escape_xml(text),
                     below.empty() ? "" : fmt::format("<br><span class=\"{}\">{}</span>", manner, escape_xml(below)));
}

// "1.31x"; of another workload it may be far from 1.
std::string ratio_text(double ratio) {
  return ratio < 0.1 ? fmt::format("{:.2g}x", ratio) : fmt::format("{:.2f}x", ratio);
}

std::string name_of(const Compared& row) {
  return row.chips ? fmt::format("{} x {}", *row.chips, row.system) : row.system;
}

std::string interval_text(const Prediction& p) {
  return fmt::format("{} to {}", format_short(p.interval.low), format_short(p.interval.high));
}

std::string memory_cell(const Prediction& p) {
  const std::optional<plan::MemoryPlan>& m = p.evaluation.memory;
  if (!m) return number_cell("");
  if (!m->fits()) return number_cell(format_short(m->total()), "does not fit", "bad");
  return number_cell(format_short(m->total()), "of " + format_short(m->capacity));
}

// Columns that no row has anything in are left out.
std::vector<Column> columns_of(const std::vector<Compared>& rows) {
  std::vector<Column> columns;
  std::copy_if(std::begin(kColumns), std::end(kColumns), std::back_inserter(columns), [&](const Column& column) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const Compared& row) { return row.prediction && column.value_of(*row.prediction); });
  });
  return columns;
}

std::string figure_cell(const Column& column, const Prediction& p, const Prediction& base) {
  const std::optional<double> value = column.value_of(p), first = column.value_of(base);
  if (!value) return number_cell("");
  return number_cell(column.text_of(*value), &p != &base && first && *first > 0 ? ratio_text(*value / *first) : "");
}

std::string rows_table(const std::vector<Compared>& rows, const Prediction& base) {
  const std::vector<Column> columns = columns_of(rows);
  const bool has_workloads =
      std::any_of(rows.begin(), rows.end(), [&](const Compared& row) { return row.workload != base.workload; });
  const auto workload_cell = [&](std::string_view tag, const std::string& text) {
    return has_workloads ? fmt::format("<{0}>{1}</{0}>", tag, escape_xml(text)) : "";
  };
  std::string out = "<table>\n<tr>" + workload_cell("th", "workload") + "<th>system</th>" + number_head("chips") +
                    number_head("gain");
  for (const Column& column : columns) out += number_head(column.name);
  out += number_head("memory/chip") + "</tr>\n";
  for (const Compared& row : rows) {
    out += "<tr>" + workload_cell("td", row.workload);
    const std::string chips = row.chips ? std::to_string(*row.chips) : "";
    if (!row.prediction) {
      out += fmt::format("<td>{}</td>{}<td colspan=\"{}\" class=\"note\">{}</td></tr>\n", escape_xml(row.system),
                         number_cell(chips), columns.size() + 2, escape_xml(row.refusal));
      continue;
    }
    const Prediction& p = *row.prediction;
    const std::string machine = (p.chip == row.system ? "" : p.chip + ", ") + p.runtime;
    out += fmt::format("<td>{}<br><span class=\"note\">{}</span></td>", escape_xml(row.system), escape_xml(machine)) +
           number_cell(chips) + number_cell(ratio_text(gain(p, base)));
    for (const Column& column : columns) out += figure_cell(column, p, base);
    out += memory_cell(p) + "</tr>\n";
  }
  return out + "</table>\n";
}

// What is wrong with rows, each sentence once.
std::string warnings_of(const std::vector<Compared>& rows) {
  std::vector<std::pair<std::string, std::string>> said;  // a sentence, and the rows that it is of
  const auto add = [&](const std::string& text, const std::string& row) {
    const auto same = std::find_if(said.begin(), said.end(), [&](const auto& one) { return one.first == text; });
    if (same == said.end()) {
      said.emplace_back(text, row);
    } else {
      same->second += ", " + row;
    }
  };
  for (const Compared& row : rows) {
    if (!row.prediction) continue;
    const std::optional<plan::MemoryPlan>& memory = row.prediction->evaluation.memory;
    const std::string name = row.workload + " on " + name_of(row);
    if (memory && !memory->fits()) add("does not fit: " + render_shortfall(*memory), name);
    for (const std::string& warning : row.prediction->warnings) add(warning, name);
  }
  std::string out;
  for (const auto& [text, names] : said) out += warning_paragraph(names + ": " + text);
  return out;
}

std::vector<Slice> slices_of(const Compared& row) { return time_slices(row.prediction->evaluation.total.breakdown); }

std::string time_text(double s) { return format_short(Seconds(s)); }

constexpr double kPitch = 40, kBar = 22;

// The bar, the interval of its end below it, and both in words.
std::string draw_row(const Compared& row, const Prediction& base, const StackPlace& place) {
  const Prediction& p = *row.prediction;
  const double low = place.x + p.interval.low.si() * place.scale, high = place.x + p.interval.high.si() * place.scale;
  const bool has_speed = &p != &base && p.workload == base.workload;  // of another, times say nothing
  const double time = p.evaluation.total.makespan.si(), y = place.y + kBar + 5,
               end = std::max(place.x + time * place.scale, high) + 10;
  return fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"end\">{}</text>\n", place.x - 10, place.y + 15,
                     escape_xml(name_of(row))) +
         draw_stack(slices_of(row), place, time_text) +
         fmt::format("<path d=\"M{0:.1f} {2:.0f}v6m0 -3H{1:.1f}m0 -3v6\" stroke=\"#555\" fill=\"none\"/>\n", low, high,
                     y - 3) +
         fmt::format(
             "<text x=\"{0:.1f}\" y=\"{1:.0f}\">{2}{3}</text><text x=\"{0:.1f}\" y=\"{4:.0f}\" fill=\"#777\" "
             "font-size=\"11\">{5}</text>\n",
             end, place.y + 13, time_text(time), has_speed ? ", " + describe_speed(p, base) : "", place.y + 28,
             interval_text(p));
}

using Group = std::vector<const Compared*>;  // predicted rows of one workload

// Those that take time in any row, by colour.
std::map<std::size_t, std::string> causes_of(const Group& rows) {
  std::map<std::size_t, std::string> causes;
  for (const Compared* row : rows) {
    for (const Slice& slice : slices_of(*row)) causes.emplace(slice.colour, slice.name);
  }
  return causes;
}

// At one scale.
std::string time_chart(const Group& rows, const Prediction& base) {
  constexpr double kCharacter = 7, kMostNames = 420, kWords = 180;
  double longest = 0, names = 0;
  for (const Compared* row : rows) {
    const Prediction& p = *row->prediction;
    longest = std::max({longest, p.evaluation.total.makespan.si(), p.interval.high.si()});
    names = std::max(names, kCharacter * static_cast<double>(name_of(*row).size()) + 20);
  }
  if (!(longest > 0)) return "";
  names = std::min(names, kMostNames);
  std::string drawing;
  double y = 4;
  for (const Compared* row : rows) {
    drawing +=
        draw_row(*row, base, {.x = names, .y = y, .height = kBar, .scale = (kPageWidth - names - kWords) / longest});
    y += kPitch;
  }
  std::vector<std::pair<std::string, std::size_t>> entries;
  for (const auto& [colour, name] : causes_of(rows)) entries.emplace_back(name, colour);
  drawing += draw_legend(entries, y);
  return svg_of(y, 13, drawing);
}

// What the bars are too short to say.
std::string causes_table(const Group& rows) {
  const std::map<std::size_t, std::string> causes = causes_of(rows);
  std::string out = "<table>\n<tr><th>system</th>";
  for (const auto& [colour, name] : causes) out += number_head(name);
  out += number_head("time") + "</tr>\n";
  for (const Compared* row : rows) {
    const Seconds time = row->prediction->evaluation.total.makespan;
    std::map<std::size_t, double> amounts;
    for (const Slice& slice : slices_of(*row)) amounts[slice.colour] = slice.value;
    out += fmt::format("<tr><td>{}</td>", escape_xml(name_of(*row)));
    for (const auto& [colour, name] : causes) {
      const auto amount = amounts.find(colour);
      out += amount == amounts.end()
                 ? number_cell("")
                 : number_cell(time_text(amount->second), fmt::format("{:.1f} %", 100 * amount->second / time.si()));
    }
    out += number_cell(format_short(time), interval_text(*row->prediction)) + "</tr>\n";
  }
  return out + "</table>\n";
}

// Workloads do not share a scale: their times have nothing to do with each other.
std::string times_by_cause(const std::vector<Compared>& rows, const Prediction& base) {
  std::vector<Group> groups;
  for (const Compared& row : rows) {
    if (!row.prediction) continue;
    if (groups.empty() || groups.back().front()->workload != row.workload) groups.emplace_back();
    groups.back().push_back(&row);
  }
  std::string out;
  for (const Group& group : groups) {
    if (groups.size() > 1) out += fmt::format("<h3>{}</h3>\n", escape_xml(group.front()->workload));
    out += time_chart(group, base) + causes_table(group);
  }
  return out;
}

std::string reasons_table(const std::vector<Reason>& reasons) {
  std::string out = "<table>\n<tr><th>what</th>" + number_head("first row") + number_head("this row") +
                    number_head("speed") + number_head("share") + "</tr>\n";
  for (const Reason& r : reasons) {
    const std::optional<double> share = share_of(r, reasons);
    out += fmt::format("<tr><td>{}</td>", escape_xml(r.what)) + number_cell(r.from) + number_cell(r.to) +
           number_cell(fmt::format("{:.3f}x", r.factor)) +
           number_cell(share ? fmt::format("{:.1f} %", 100 * *share) : "") + "</tr>\n";
  }
  return out + "</table>\n";
}

std::string reasons_of(const std::vector<Compared>& rows, const Prediction& base) {
  std::string out;
  for (const Compared& row : rows) {
    if (!has_reasons(row, base)) continue;
    const std::string parts = describe_differences(*row.prediction, base);
    out += fmt::format("<h3>{} on {}: {}</h3>\n", escape_xml(row.workload), escape_xml(name_of(row)),
                       describe_speed(*row.prediction, base)) +
           (parts.empty() ? "" : "<p>Of the time: " + escape_xml(parts) + "</p>\n") + reasons_table(row.reasons);
  }
  return out.empty() ? out
                     : "<p class=\"note\">By exchanging parts of the machine, in closed form; the speeds multiply to "
                       "the whole, and the shares are of its logarithm.</p>\n" +
                           out;
}

std::string numbers_table(const std::string& from, const std::string& to, const std::vector<Difference>& differences) {
  std::string out =
      "<table>\n<tr><th>number</th>" + number_head(escape_xml(from)) + number_head(escape_xml(to)) + "</tr>\n";
  for (const Difference& d : differences)
    out += fmt::format("<tr><td>{}</td>", escape_xml(d.parameter)) + number_cell(d.from.empty() ? "-" : d.from) +
           number_cell(d.to.empty() ? "-" : d.to) + "</tr>\n";
  return out + "</table>\n";
}

std::string numbers_of(const std::vector<Compared>& rows, const Prediction& base) {
  std::string out;
  for (const Compared& row : rows) {
    if (!row.differences.empty())
      out += section(fmt::format("Numbers of {} against the first", row.system),
                     numbers_table(base.system, row.system, row.differences));
  }
  return out;
}

// The workloads that are compared, each once.
std::string title_of(const std::vector<Compared>& rows) {
  std::set<std::string_view> seen;
  std::string title;
  for (const Compared& row : rows) {
    if (row.prediction && seen.insert(row.workload).second) title += (title.empty() ? "" : ", ") + row.workload;
  }
  return title;
}

}  // namespace

std::string render_html(const std::vector<Compared>& rows) {
  const Prediction& base = *first_of(rows);
  const std::string note = fmt::format(
      "<p class=\"note\">Against {} on {} x {}, fidelity {}. Small figures are ratios to it. Gain is that of tokens/s "
      "of a chip, or of speed where there are no tokens: above 1 is better.</p>\n",
      escape_xml(base.workload), base.evaluation.chips, escape_xml(base.system), chip::name_of(base.fidelity));
  const std::string interval = fmt::format(
      "<p class=\"note\">The line below a bar is the {:.0f} % interval of its time, as is the range below a "
      "time.</p>\n",
      100 * kIntervalLevel);
  return render_page(title_of(rows), note + rows_table(rows, base) + warnings_of(rows) +
                                         section("Where the time goes", interval + times_by_cause(rows, base)) +
                                         section("Why", reasons_of(rows, base)) + numbers_of(rows, base));
}

std::string render_html(const std::vector<std::string>& systems,
                        const std::vector<std::vector<Difference>>& differences) {
  std::string title, body;
  for (const std::string& system : systems) title += (title.empty() ? "" : ", ") + system;
  for (std::size_t i = 0; i < differences.size(); ++i)
    body += section(fmt::format("{} and {}: {} numbers differ", systems[0], systems[i + 1], differences[i].size()),
                    numbers_table(systems[0], systems[i + 1], differences[i]));
  return render_page(title, body);
}

}  // namespace mlosim::predict
