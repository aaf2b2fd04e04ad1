#include <nlohmann/json.hpp>

#include "models/predict/describe_op.hpp"
#include "models/predict/render_explanation.hpp"
#include "models/predict/result_json.hpp"

namespace mlosim::predict {
namespace {

Json causes_json(const chip::TimeByCause& causes) {
  return {{"compute", causes.compute.si()}, {"load", causes.load.si()},   {"store", causes.store.si()},
          {"fill", causes.fill.si()},       {"tail", causes.tail.si()},   {"latency", causes.latency.si()},
          {"launch", causes.launch.si()},   {"power", causes.power.si()}, {"other_kernels", causes.other_kernels.si()}};
}

Json plan_json(const chip::KernelPlan& plan) {
  return {{"tile", {plan.tile_m, plan.tile_n, plan.tile_k}},
          {"units_per_tile", plan.units_per_tile},
          {"stages", plan.stages},
          {"split", plan.split},
          {"work_items", plan.tiles},
          {"waves", plan.waves},
          {"active_units", plan.active_units},
          {"items_per_unit", plan.per_unit},
          {"resident", plan.resident},
          {"kernels", plan.kernels}};
}

Json plans_json(const std::vector<chip::PlanEstimate>& plans) {
  Json list = Json::array();
  for (const chip::PlanEstimate& estimate : plans) {
    Json json = plan_json(estimate.plan);
    json["estimate_s"] = estimate.time.si();
    json["preference_s"] = estimate.preference.si();
    list.push_back(std::move(json));
  }
  return list;
}

Json roofline_json(const RooflinePosition& r) {
  return {{"roof", name_of(r.roof)},
          {"bound_s", r.bound.si()},
          {"intensity_flop_per_byte", r.intensity},
          {"ridge_flop_per_byte", r.ridge},
          {"achieved_flops", r.achieved.si()},
          {"peak_flops", r.peak.si()},
          {"transferred_bytes_per_s", r.transferred.si()},
          {"bandwidth_bytes_per_s", r.bandwidth.si()}};
}

void add_kernel(Json& json, const KernelFacts& kernel) {
  const chip::KernelPrice& price = kernel.price;
  const bool is_played = price.events > 0;
  json["kernel_s"] = price.time.si();
  json["around_s"] = kernel.around.si();
  json["played_events"] = price.events;
  json["merged_steps"] = price.coarseness.merged_steps;
  json["folded_waves"] = price.coarseness.folded_waves;
  json["plan"] = plan_json(price.plan);
  json["plans"] = plans_json(kernel.plans);
  json["time_by_cause_s"] = is_played ? causes_json(price.causes) : Json(nullptr);
  json["overhead_s"] = price.overhead.si();
  json["bytes"] = {{"cache_to_units", price.plan.shared_cache.si()},
                   {"device_read", price.plan.device_read.si()},
                   {"device_written", price.plan.device_written.si()}};
  json["cache_hit_rate"] = is_played ? Json(price.plan.cache_hit_rate) : Json(nullptr);
  json["energy_j"] = {{"total", price.energy_by_part.total().si()},
                      {"static", price.energy_by_part.static_power.si()},
                      {"matrix", price.energy_by_part.matrix.si()},
                      {"vector", price.energy_by_part.vector.si()},
                      {"memory", price.energy_by_part.memory.si()}};
  json["roofline"] = roofline_json(kernel.roofline);
}

Json operator_json(const OperatorFacts& facts) {
  Json json{{"names", facts.names},
            {"indices", facts.indices},
            {"op", work::name_of(facts.op)},
            {"shape", describe_shape(facts.op)},
            {"count", count_of(facts.count)},
            {"time_s", facts.each.si()},
            {"total_s", facts.total.si()},
            {"share", facts.share},
            {"lower_bound_s", facts.bound.si()},
            {"bound", chip::name_of(facts.bound_by)},
            {"detail", facts.detail}};
  if (facts.kernel) add_kernel(json, *facts.kernel);
  return json;
}

Json parameter_json(const ParameterFacts& f) {
  return {{"parameter", f.parameter}, {"value", f.value},           {"kind", spec::name_of(f.kind)},
          {"source", f.source},       {"elasticity", f.elasticity}, {"uncertainty", f.uncertainty},
          {"effect", f.effect()}};
}

Json what_if_json(const WhatIf& what_if) {
  Json json{{"elasticities", Json::array()}, {"halved_by", Json::array()}, {"doubts", Json::array()}};
  for (const ParameterFacts& f : what_if.elasticities) json["elasticities"].push_back(parameter_json(f));
  for (const HalvedBy& h : what_if.halved_by) {
    json["halved_by"].push_back({{"parameter", h.parameter},
                                 {"value", h.value},
                                 {"factor", h.factor ? Json(*h.factor) : Json(nullptr)},
                                 {"needed", h.needed},
                                 {"time_left", h.best}});
  }
  for (const ParameterFacts& f : what_if.doubts) json["doubts"].push_back(parameter_json(f));
  json["doubt"] = what_if.doubt;
  return json;
}

}  // namespace

std::string render_json(const Explanation& e, const RunFacts& run) {
  Json json;
  const Json result = result_json(e.prediction, run);
  for (const auto& [key, value] : result.items()) {
    if (key != "ops") {
      json[key] = value;
      continue;
    }
    json["kernel_time_by_cause_s"] = causes_json(e.kernels.played);
    json["kernel_time_by_cause_s"]["closed_form"] = e.kernels.closed_form.si();
    json["operators"] = Json::array();
    for (const OperatorFacts& facts : e.operators) json["operators"].push_back(operator_json(facts));
  }
  json["stages"] = Json::array();
  for (const StageFacts& stage : e.stages) {
    json["stages"].push_back({{"rank", stage.rank}, {"busy_s", stage.busy.si()}, {"idle_s", stage.idle.si()}});
    for (const auto& [name, time] : stage.by_pass) json["stages"].back()["by_pass_s"][name] = time.si();
  }
  json["what_if"] = what_if_json(e.what_if);
  json["schema"] = "mlosim/explanation/1";
  return document_of(json);
}

}  // namespace mlosim::predict
