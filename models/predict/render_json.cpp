#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "models/predict/render.hpp"
#include "models/predict/result_json.hpp"

namespace mlosim::predict {

std::string document_of(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json count_of(double count) {
  return count == std::floor(count) ? Json(static_cast<std::int64_t>(count)) : Json(count);
}

namespace {

Json number_or_null(const std::optional<double>& number) { return number ? Json(*number) : Json(nullptr); }
Json seconds_or_null(const std::optional<Seconds>& time) { return time ? Json(time->si()) : Json(nullptr); }

Json render_memory(const std::optional<plan::MemoryPlan>& memory) {
  if (!memory) return nullptr;
  return {{"fits", memory->fits()},
          {"per_chip_bytes", memory->total().si()},
          {"capacity_bytes", memory->capacity.si()},
          {"breakdown_bytes",
           {{"weights", memory->weights.si()},
            {"kv_cache", memory->kv_cache.si()},
            {"activations", memory->activations.si()},
            {"gradients", memory->gradients.si()},
            {"optimizer", memory->optimizer.si()},
            {"workspace", memory->workspace.si()}}}};
}

// Null where nothing fails and nothing is saved.
Json render_goodput(const std::optional<plan::Goodput>& g) {
  if (!g) return nullptr;
  return {{"useful", g->useful},
          {"checkpointing", g->checkpointing},
          {"lost_work", g->lost_work},
          {"restarting", g->restarting},
          {"waiting", g->waiting},
          {"checkpoint_interval_s", g->interval.si()},
          {"checkpoint_stall_s", g->stall.si()},
          {"between_failures_s", g->between_failures ? Json(g->between_failures->si()) : Json(nullptr)}};
}

// How kernels were played; null where none is.
Json render_play(const Prediction& p) {
  if (p.fidelity != chip::Fidelity::event) return nullptr;
  const std::string note = render_coarseness(p);
  return {{"max_events", p.max_events}, {"note", note.empty() ? Json(nullptr) : Json(note)}};
}

// The first four add up to energy_j, all of them to facility_energy_j; null where the facility's is not known.
Json render_energy(const Prediction& p) {
  const double chips = static_cast<double>(p.evaluation.chips);
  const report::EnergyParts& parts = p.evaluation.total.energy_parts;
  const Economics& e = p.economics;
  Json matrix = Json::object();
  for (const work::DType dtype : work::kDTypes) {
    const Joules energy = chips * parts.matrix_of(dtype);
    if (energy > Joules(0)) matrix[std::string(work::name_of(dtype))] = energy.si();
  }
  const Joules computers = p.energy + e.links + e.host;
  return {{"static", (chips * (p.evaluation.total.energy - parts.in_chip())).si()},
          {"matrix", std::move(matrix)},
          {"vector", (chips * parts.vector).si()},
          {"device_memory", (chips * parts.memory).si()},
          {"fabric", (chips * parts.fabric).si()},
          {"scale_out", (chips * parts.scale_out).si()},
          {"host", e.host.si()},
          {"cooling", e.facility ? Json((*e.facility - computers).si()) : Json(nullptr)}};
}

Json dollars_or_null(const std::optional<Dollars>& money) { return money ? Json(money->si()) : Json(nullptr); }

// Null where neither a price nor capital is known.
Json render_bill(const Economics& e) {
  if (!e.bill) return nullptr;
  return {{"basis", spec::name_of(e.bill->basis)},
          {"chips_usd", e.bill->chips.si()},
          {"electricity_usd", e.bill->electricity.si()},
          {"usd_per_million_useful_tokens", dollars_or_null(e.per_million_useful_tokens)}};
}

// Of one chip; null where it does not say what it is built of.
Json render_made(const std::optional<SiliconEstimate>& silicon) {
  if (!silicon) return nullptr;
  Json parts = Json::object();
  for (const AreaPart& part : silicon->parts) parts[part.name] = part.mm2;
  return {{"parts_mm2", std::move(parts)},
          {"published_area_mm2", silicon->published_area_mm2 ? Json(*silicon->published_area_mm2) : Json(nullptr)},
          {"largest_die_mm2", silicon->largest_die_mm2},
          {"exceeds_reticle", silicon->exceeds_reticle},
          {"yield", silicon->yield},
          {"dies_usd", silicon->dies.si()},
          {"memory_usd", silicon->memory.si()},
          {"packaging_usd", silicon->packaging.si()},
          {"total_usd", silicon->total().si()}};
}

Json render_breakdown(const report::TimeBreakdown& b) {
  return {{"compute", b.compute.si()},
          {"memory", b.memory.si()},
          {"communication_exposed", b.communication_exposed.si()},
          {"bubble", b.bubble.si()},
          {"overhead", b.overhead.si()},
          {"optimizer", b.optimizer.si()}};
}

}  // namespace

Json result_json(const Prediction& p, const RunFacts& run) {
  const Evaluation& e = p.evaluation;
  Json json{{"schema", "mlosim/result/1"},
            {"workload", p.workload},
            {"task", name_of(p.task)},
            {"system", p.system},
            {"chip", p.chip},
            {"chips", e.chips},
            {"runtime", p.runtime},
            {"fidelity", chip::name_of(p.fidelity)},
            {"play", render_play(p)},
            {"time_s", e.total.makespan.si()},
            {"time_interval_s", {p.interval.low.si(), p.interval.high.si()}},
            {"interval_level", kIntervalLevel},
            {"tokens_per_s", number_or_null(p.tokens_per_s)},
            {"tokens_per_s_per_chip", number_or_null(p.tokens_per_s_per_chip)},
            {"achieved_flops_per_chip", p.achieved_flops_per_chip.si()},
            {"mfu", p.mfu},
            {"hfu", p.hfu},
            {"latency",
             {{"ttft_s", seconds_or_null(e.prefill_time)},
              {"tpot_s", seconds_or_null(e.step_time)},
              {"end_to_end_s", seconds_or_null(e.end_to_end)}}},
            {"memory", render_memory(e.memory)},
            {"goodput", render_goodput(e.goodput)},
            {"time_breakdown_s", render_breakdown(e.total.breakdown)},
            {"communication_total_s", e.total.communication_total.si()},
            {"energy_j", p.energy.si()},
            {"power_w_per_chip", p.power_per_chip.si()},
            {"energy_breakdown_j", render_energy(p)},
            {"facility_energy_j", p.economics.facility ? Json(p.economics.facility->si()) : Json(nullptr)},
            {"carbon_g", number_or_null(p.economics.carbon_g)},
            {"tokens_per_joule", number_or_null(p.economics.tokens_per_joule)},
            {"cost_usd", dollars_or_null(p.cost)},
            {"usd_per_million_tokens", dollars_or_null(p.economics.per_million_tokens)},
            {"bill", render_bill(p.economics)},
            {"area_mm2", p.silicon ? Json(p.silicon->area_mm2) : Json(nullptr)},
            {"silicon", render_made(p.silicon)}};
  json["bottlenecks"] = Json::array();
  for (const Bottleneck& b : p.bottlenecks)
    json["bottlenecks"].push_back({{"resource", b.resource}, {"share", b.share}, {"elasticity", b.elasticity}});
  json["ops"] = Json::array();
  for (const report::OpTotal& op : e.total.ops) {
    json["ops"].push_back({{"name", op.name},
                           {"op", work::name_of(op.op)},
                           {"count", count_of(op.count)},
                           {"time_s", op.each.si()},
                           {"total_s", op.time.si()},
                           {"lower_bound_s", op.bound.si()},
                           {"bound", chip::name_of(op.bound_by)},
                           {"plan", op.detail}});
    if (p.task != Task::ops) continue;
    json["ops"].back()["start_s"] = op.start.si();
    json["ops"].back()["end_s"] = op.end.si();
    json["ops"].back()["alone_s"] = op.alone.si();
  }
  json["assumptions"] = Json::array();
  for (const Assumption& a : p.assumptions) {
    json["assumptions"].push_back({{"parameter", a.parameter},
                                   {"value", a.value},
                                   {"kind", spec::name_of(a.kind)},
                                   {"source", a.source},
                                   {"elasticity", a.elasticity}});
  }
  json["warnings"] = p.warnings;
  json["mlosim"] = {{"version", run.version}, {"seconds", run.seconds}, {"events", e.total.events}};
  return json;
}

std::string render_json(const Prediction& p, const RunFacts& run) { return document_of(result_json(p, run)); }

}  // namespace mlosim::predict
