#include "models/predict/render_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/predict/comparison_parts.hpp"
#include "models/predict/render_parts.hpp"
#include "models/predict/result_json.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

std::string share(Seconds part, Seconds whole) {
  return part > Seconds(0) ? fmt::format("{:.0f} %", 100 * (part / whole)) : "";
}

// RFC 4180.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string number(const std::optional<double>& x, int digits) { return x ? fmt::format("{:.{}g}", *x, digits) : ""; }

constexpr std::size_t kMostReasons = 5;

// "memory bandwidth 4800 GB/s -> 7.7 TB/s 1.31x (61 %), number of units 132 -> 148 1.05x (11 %)".
std::string describe_reasons(const std::vector<Reason>& reasons) {
  std::string text;
  for (std::size_t i = 0; i < std::min(reasons.size(), kMostReasons); ++i) {
    const Reason& r = reasons[i];
    text += fmt::format("{}{}", text.empty() ? "" : ", ", r.what);
    if (!r.from.empty() && !r.to.empty()) text += fmt::format(" {} -> {}", r.from, r.to);
    text += fmt::format(" {:.2f}x", r.factor);
    if (const std::optional<double> part = share_of(r, reasons)) text += fmt::format(" ({:.0f} %)", 100 * *part);
  }
  return text;
}

std::string render_reasons(const std::vector<Compared>& rows, const Prediction& base) {
  std::string out;
  for (const Compared& row : rows) {
    if (!has_reasons(row, base)) continue;
    const Prediction& p = *row.prediction;
    out += fmt::format("  {} on {} x {}: {}: {}\n", row.workload, *row.chips, row.system, describe_speed(p, base),
                       describe_reasons(row.reasons));
    const std::string parts = describe_differences(p, base);
    if (!parts.empty()) out += fmt::format("    of the time: {}\n", parts);
  }
  return out.empty() ? out
                     : "\nwhy, against the first row (by exchanging parts of the machine, in closed form)\n" + out;
}

std::string list_numbers(const std::vector<Difference>& differences) {
  std::string out;
  for (const Difference& d : differences)
    out += fmt::format("  {:<52}{:>18}{:>18}\n", d.parameter, d.from.empty() ? "-" : d.from, d.to.empty() ? "-" : d.to);
  return out;
}

std::string render_numbers(const std::vector<Compared>& rows) {
  std::string out;
  for (const Compared& row : rows) {
    if (!row.differences.empty())
      out += fmt::format("\nnumbers of {} against the first\n{}", row.system, list_numbers(row.differences));
  }
  return out;
}

Json reasons_json(const std::vector<Reason>& reasons) {
  Json list = Json::array();
  for (const Reason& r : reasons)
    list.push_back({{"what", r.what}, {"from", r.from}, {"to", r.to}, {"factor", r.factor}});
  return list;
}

Json difference_json(const Prediction& p, const Prediction& base) {
  Json json = Json::object();
  for (const auto& [name, time] : differences_of(p, base)) json[std::string(name)] = time.si();
  return json;
}

Json differences_json(const std::vector<Difference>& differences) {
  Json list = Json::array();
  for (const Difference& d : differences) list.push_back({{"parameter", d.parameter}, {"from", d.from}, {"to", d.to}});
  return list;
}

}  // namespace

std::string render_text(const std::vector<std::string>& systems,
                        const std::vector<std::vector<Difference>>& differences) {
  std::string out;
  for (std::size_t i = 0; i < differences.size(); ++i)
    out += fmt::format("{}numbers of {} and {} that differ: {}\n{}", i == 0 ? "" : "\n", systems[0], systems[i + 1],
                       differences[i].size(), list_numbers(differences[i]));
  return out;
}

std::string render_json(const std::vector<std::string>& systems,
                        const std::vector<std::vector<Difference>>& differences) {
  Json list = Json::array();
  for (std::size_t i = 0; i < differences.size(); ++i)
    list.push_back({{"from", systems[0]}, {"to", systems[i + 1]}, {"numbers", differences_json(differences[i])}});
  return document_of({{"schema", "mlosim/spec_comparison/1"}, {"pairs", std::move(list)}});
}

std::string render_text(const std::vector<Compared>& rows) {
  const Prediction* base = first_of(rows);
  std::size_t width = 8, system_width = 6;
  for (const Compared& row : rows) {
    width = std::max(width, row.workload.size());
    system_width = std::max(system_width, row.system.size());
  }
  std::string out =
      fmt::format("{:<{}}  {:<{}}{:>8}{:>11}{:>14}{:>7}{:>8}{:>9}{:>8}{:>8}{:>8}{:>8}{:>8}{:>10}{:>10}{:>7}  {}\n",
                  "workload", width, "system", system_width, "chips", "time", "tokens/s/chip", "gain", "MFU", "compute",
                  "memory", "comm", "bubble", "other", "power", "J/token", "USD/Mtok", "mm2", "fits");
  for (const Compared& row : rows) {
    const std::string head = fmt::format("{:<{}}  {:<{}}{:>8}", row.workload, width, row.system, system_width,
                                         row.chips ? std::to_string(*row.chips) : "");
    if (!row.prediction) {
      out += fmt::format("{}  {}\n", head, row.refusal);
      continue;
    }
    const Prediction& p = *row.prediction;
    const report::TimeBreakdown& b = p.evaluation.total.breakdown;
    const Seconds time = p.evaluation.total.makespan;
    out += fmt::format(
        "{}{:>11}{:>14}{:>7}{:>8}{:>9}{:>8}{:>8}{:>8}{:>8}{:>8}{:>10}{:>10}{:>7}  {}\n", head, format_short(time),
        p.tokens_per_s_per_chip ? fmt::format("{:.4g}", *p.tokens_per_s_per_chip) : "",
        fmt::format("{:.2f}x", gain(p, *base)), percent(p.mfu), share(b.compute, time), share(b.memory, time),
        share(b.communication_exposed, time), share(b.bubble, time), share(b.overhead + b.optimizer, time),
        format_short(p.power_per_chip), number(energy_per_token(p), 3), number(dollars_per_million_tokens(p), 3),
        p.silicon ? fmt::format("{:.0f}", p.silicon->area_mm2) : "",
        !p.evaluation.memory          ? ""
        : p.evaluation.memory->fits() ? "yes"
                                      : "no");
  }
  return out + render_reasons(rows, *base) + render_numbers(rows);
}

std::string render_json(const std::vector<Compared>& rows, const RunFacts& run) {
  const Prediction* base = first_of(rows);
  Json list = Json::array();
  for (const Compared& row : rows) {
    if (row.prediction) {
      list.push_back({{"gain", gain(*row.prediction, *base)},
                      {"reasons", reasons_json(row.reasons)},
                      {"time_difference_s", difference_json(*row.prediction, *base)},
                      {"result", result_json(*row.prediction, run)}});
      if (!row.differences.empty()) list.back()["numbers"] = differences_json(row.differences);
    } else {
      list.push_back({{"workload", row.workload},
                      {"system", row.system},
                      {"chips", row.chips ? Json(*row.chips) : Json(nullptr)},
                      {"refusal", row.refusal}});
    }
  }
  return document_of({{"schema", "mlosim/comparison/1"}, {"rows", std::move(list)}});
}

std::string render_csv(const std::vector<Compared>& rows) {
  const Prediction* base = first_of(rows);
  std::string out =
      "workload,system,chips,time_s,low_s,high_s,tokens_per_s_per_chip,gain,mfu,compute_s,memory_s,"
      "communication_exposed_s,bubble_s,overhead_s,optimizer_s,power_w_per_chip,energy_j,facility_energy_j,cost_usd,"
      "usd_per_million_tokens,area_mm2,per_chip_bytes,fits,reasons,refusal\n";
  for (const Compared& row : rows) {
    const std::string head =
        fmt::format("{},{},{}", field(row.workload), field(row.system), row.chips ? std::to_string(*row.chips) : "");
    if (!row.prediction) {
      out += fmt::format("{},,,,,,,,,,,,,,,,,,,,,,{}\n", head, field(row.refusal));
      continue;
    }
    const Prediction& p = *row.prediction;
    const report::TimeBreakdown& b = p.evaluation.total.breakdown;
    const auto& memory = p.evaluation.memory;
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},\n", head, p.evaluation.total.makespan.si(),
        p.interval.low.si(), p.interval.high.si(),
        p.tokens_per_s_per_chip ? fmt::format("{}", *p.tokens_per_s_per_chip) : "", gain(p, *base), p.mfu,
        b.compute.si(), b.memory.si(), b.communication_exposed.si(), b.bubble.si(), b.overhead.si(), b.optimizer.si(),
        p.power_per_chip.si(), p.energy.si(), p.economics.facility ? fmt::format("{}", p.economics.facility->si()) : "",
        p.cost ? fmt::format("{}", p.cost->si()) : "",
        p.economics.per_million_tokens ? fmt::format("{}", p.economics.per_million_tokens->si()) : "",
        p.silicon ? fmt::format("{}", p.silicon->area_mm2) : "", memory ? fmt::format("{}", memory->total().si()) : "",
        memory ? (memory->fits() ? "true" : "false") : "", field(describe_reasons(row.reasons)));
  }
  return out;
}

}  // namespace mlosim::predict
