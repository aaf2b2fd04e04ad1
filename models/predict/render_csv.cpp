#include <fmt/format.h>

#include "models/predict/render.hpp"

namespace mlosim::predict {
namespace {

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

std::string number(const std::optional<double>& x) { return x ? fmt::format("{}", *x) : std::string(); }

}  // namespace

std::string render_csv(const Prediction& p) {
  const Evaluation& e = p.evaluation;
  std::string out =
      "workload,system,chips,fidelity,name,op,count,time_s,low_s,high_s,bound,tokens_per_s,achieved_flops_per_chip,mfu,"
      "per_chip_bytes,fits,energy_j,facility_energy_j,cost_usd,area_mm2\n";
  const std::string head =
      fmt::format("{},{},{},{}", field(p.workload), field(p.system), e.chips, chip::name_of(p.fidelity));
  const std::string bytes = e.memory ? fmt::format("{}", e.memory->total().si()) : "";
  const std::string fits = e.memory ? (e.memory->fits() ? "true" : "false") : "";
  out += fmt::format(
      "{},total,{},1,{},{},{},{},{},{},{},{},{},{},{},{},{}\n", head, name_of(p.task), e.total.makespan.si(),
      p.interval.low.si(), p.interval.high.si(), p.bottlenecks.empty() ? "" : p.bottlenecks.front().resource,
      number(p.tokens_per_s), p.achieved_flops_per_chip.si(), p.mfu, bytes, fits, p.energy.si(),
      p.economics.facility ? fmt::format("{}", p.economics.facility->si()) : "",
      p.cost ? fmt::format("{}", p.cost->si()) : "", p.silicon ? fmt::format("{}", p.silicon->area_mm2) : "");
  for (const report::OpTotal& op : e.total.ops) {
    out += fmt::format("{},{},{},{},{},,,{},,,,,,,,,\n", head, field(op.name), work::name_of(op.op), op.count,
                       op.each.si(), chip::name_of(op.bound_by));
  }
  return out;
}

}  // namespace mlosim::predict
