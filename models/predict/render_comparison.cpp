#include "models/predict/render_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/predict/render_parts.hpp"
#include "models/predict/result_json.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

const Prediction* first_of(const std::vector<Compared>& rows) {
  for (const Compared& row : rows) {
    if (row.prediction) return &*row.prediction;
  }
  return nullptr;
}

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

}  // namespace

std::string render_text(const std::vector<Compared>& rows) {
  const Prediction* base = first_of(rows);
  std::size_t width = 8, system_width = 6;
  for (const Compared& row : rows) {
    width = std::max(width, row.workload.size());
    system_width = std::max(system_width, row.system.size());
  }
  std::string out = fmt::format("{:<{}}  {:<{}}{:>8}{:>11}{:>14}{:>7}{:>8}{:>9}{:>8}{:>8}{:>8}{:>8}{:>8}  {}\n",
                                "workload", width, "system", system_width, "chips", "time", "tokens/s/chip", "gain",
                                "MFU", "compute", "memory", "comm", "bubble", "other", "power", "fits");
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
    out += fmt::format("{}{:>11}{:>14}{:>7}{:>8}{:>9}{:>8}{:>8}{:>8}{:>8}{:>8}  {}\n", head, format_short(time),
                       p.tokens_per_s_per_chip ? fmt::format("{:.4g}", *p.tokens_per_s_per_chip) : "",
                       fmt::format("{:.2f}x", gain(p, *base)), percent(p.mfu), share(b.compute, time),
                       share(b.memory, time), share(b.communication_exposed, time), share(b.bubble, time),
                       share(b.overhead + b.optimizer, time), format_short(p.power_per_chip),
                       !p.evaluation.memory          ? ""
                       : p.evaluation.memory->fits() ? "yes"
                                                     : "no");
  }
  return out;
}

std::string render_json(const std::vector<Compared>& rows, const RunFacts& run) {
  const Prediction* base = first_of(rows);
  Json list = Json::array();
  for (const Compared& row : rows) {
    if (row.prediction) {
      list.push_back({{"gain", gain(*row.prediction, *base)}, {"result", result_json(*row.prediction, run)}});
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
      "communication_exposed_s,bubble_s,overhead_s,optimizer_s,power_w_per_chip,energy_j,cost_usd,per_chip_bytes,fits,"
      "refusal\n";
  for (const Compared& row : rows) {
    const std::string head =
        fmt::format("{},{},{}", field(row.workload), field(row.system), row.chips ? std::to_string(*row.chips) : "");
    if (!row.prediction) {
      out += fmt::format("{},,,,,,,,,,,,,,,,,,{}\n", head, field(row.refusal));
      continue;
    }
    const Prediction& p = *row.prediction;
    const report::TimeBreakdown& b = p.evaluation.total.breakdown;
    const auto& memory = p.evaluation.memory;
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},\n", head, p.evaluation.total.makespan.si(),
        p.interval.low.si(), p.interval.high.si(),
        p.tokens_per_s_per_chip ? fmt::format("{}", *p.tokens_per_s_per_chip) : "", gain(p, *base), p.mfu,
        b.compute.si(), b.memory.si(), b.communication_exposed.si(), b.bubble.si(), b.overhead.si(), b.optimizer.si(),
        p.power_per_chip.si(), p.energy.si(), p.cost ? fmt::format("{}", p.cost->si()) : "",
        memory ? fmt::format("{}", memory->total().si()) : "", memory ? (memory->fits() ? "true" : "false") : "");
  }
  return out;
}

}  // namespace mlosim::predict
