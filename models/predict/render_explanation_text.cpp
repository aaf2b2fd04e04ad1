#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>
#include <vector>

#include "models/predict/describe_op.hpp"
#include "models/predict/render_explanation.hpp"
#include "models/predict/render_parts.hpp"
#include "sim/units/format.hpp"

namespace mlosim::predict {
namespace {

constexpr std::size_t kMostNames = 3;  // of equal operators
constexpr std::size_t kMostDoubts = 15;
constexpr double kLeastShare = 0.0005;  // of a time that is worth a word

using Parts = std::vector<std::pair<std::string_view, Seconds>>;

Parts parts_of(const chip::TimeByCause& causes) {
  return {{"compute", causes.compute}, {"load", causes.load},   {"store", causes.store},
          {"fill", causes.fill},       {"tail", causes.tail},   {"latency", causes.latency},
          {"launch", causes.launch},   {"power", causes.power}, {"other kernels", causes.other_kernels}};
}

std::string plural(double count, std::string_view one) {
  return fmt::format("{:.6g} {}{}", count, one, count == 1 ? "" : "s");
}

// "compute 10 us (22.1 %), load …", the longest first.
std::string describe_parts(Parts parts, Seconds whole) {
  std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [name, time] : parts) {
    if (time < kLeastShare * whole) continue;
    text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", name, format_short(time), percent(time / whole));
  }
  return text;
}

std::string describe_names(const OperatorFacts& facts) {
  std::string text;
  for (std::size_t i = 0; i < std::min(facts.names.size(), kMostNames); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", facts.names[i]);
  if (facts.names.size() > kMostNames) text += fmt::format(" and {} more", facts.names.size() - kMostNames);
  return text;
}

bool has_tile(const chip::KernelPlan& plan) { return plan.tile_m > 1 || plan.tile_n > 1; }

// "tile m 128, n 256, k 64; 4 stages; split 2": what tells plans apart.
std::string describe_tiling(const chip::KernelPlan& plan) {
  std::string text = fmt::format("tile m {}, n {}", plan.tile_m, plan.tile_n);
  if (plan.tile_k > 1) text += fmt::format(", k {}", plan.tile_k);
  if (plan.units_per_tile > 1) text += fmt::format(" on {} units", plan.units_per_tile);
  if (plan.stages > 0) text += fmt::format(", {:.3g} stages", plan.stages);
  if (plan.split > 1) text += fmt::format(", split {}", plan.split);
  return text;
}

// How its work items run on the units.
std::string describe_waves(const chip::KernelPlan& plan) {
  std::string text = fmt::format("{} in {} on {}", plural(plan.tiles, "work item"), plural(plan.waves, "wave"),
                                 plural(plan.active_units, "unit"));
  if (plan.per_unit > 1) text += fmt::format(", up to {:.6g} a unit", plan.per_unit);
  if (plan.resident > 1) text += fmt::format(", {:.6g} at once", plan.resident);
  if (plan.kernels > 1) text += fmt::format("; {} kernels", plan.kernels);
  return text;
}

std::string render_plans(const KernelFacts& kernel) {
  const chip::KernelPlan& plan = kernel.price.plan;
  std::string out;
  if (has_tile(plan)) out += row("plan", describe_tiling(plan));
  if (plan.tiles > 1 || has_tile(plan)) out += row(out.empty() ? "plan" : "", describe_waves(plan));
  if (kernel.plans.empty()) return out + row("runners-up", "none: its plan follows from the shape, without a search");
  if (!has_tile(plan)) {
    return out + row("plan",
                     fmt::format("a roofline has none; the library would take {}, {} in closed form",
                                 describe_tiling(kernel.plans.front().plan), format_short(kernel.plans.front().time)));
  }
  if (kernel.plans.size() == 1) return out + row("runners-up", "none: no other plan was open");
  out += row("runners-up", fmt::format("by closed forms; this one: {}", format_short(kernel.plans.front().time)));
  for (std::size_t i = 1; i < kernel.plans.size(); ++i) {
    const chip::PlanEstimate& other = kernel.plans[i];
    const bool is_handicapped = other.preference > other.time * (1 + kLeastShare);
    out += row("", fmt::format("{}: {}{}", describe_tiling(other.plan), format_short(other.time),
                               is_handicapped ? fmt::format(", weighed as {}", format_short(other.preference)) : ""));
  }
  return out;
}

std::string render_time(const KernelFacts& kernel, chip::Fidelity fidelity) {
  const chip::KernelPrice& price = kernel.price;
  std::string out;
  if (price.events > 0) {
    out += row("time", describe_parts(parts_of(price.causes), price.time));
    if (price.coarseness.folded_waves > 0)
      out += row("", fmt::format("{:.6g} equal waves folded", price.coarseness.folded_waves));
    if (price.coarseness.merged_steps > 1)
      out += row("", fmt::format("steps {:.3g} times as long as played in full", price.coarseness.merged_steps));
  } else if (fidelity == chip::Fidelity::roofline) {
    out += row("time", "its roofline alone");
  } else {
    out += row("time", describe_parts({{chip::name_of(price.limiter), price.time - price.overhead},
                                       {"launch and ends", price.overhead}},
                                      price.time) +
                           ", in closed form");
  }
  if (kernel.around > kLeastShare * price.time)
    out += row("", fmt::format("and {} around it: launch gaps, power, later steps", format_short(kernel.around)));
  return out;
}

std::string render_bytes(const chip::KernelPrice& price) {
  const chip::KernelPlan& plan = price.plan;
  std::string text;
  if (plan.shared_cache > Bytes(0)) text = fmt::format("cache to units {}, ", format_short(plan.shared_cache));
  text += fmt::format("device memory {} read, {} written", format_short(plan.device_read),
                      format_short(plan.device_written));
  if (price.events > 0) text += fmt::format("; {} of loads found in the caches", percent(plan.cache_hit_rate));
  return row("bytes", text);
}

std::string render_energy(const chip::EnergyByPart& energy) {
  std::string text = format_short(energy.total()) + ":";
  for (const auto& [name, part] : {std::pair{"static", energy.static_power}, std::pair{"matrix", energy.matrix},
                                   std::pair{"vector", energy.vector}, std::pair{"memory", energy.memory}})
    text += fmt::format("{} {} {}", text.back() == ':' ? "" : ",", name, percent(part / energy.total()));
  return row("energy", text);
}

std::string render_roofline(const KernelFacts& kernel) {
  const RooflinePosition& r = kernel.roofline;
  return row("roofline",
             fmt::format("{:.4g} operations a byte, ridge {:.4g}: bound by {}, {} or {} of its time", r.intensity,
                         r.ridge, name_of(r.roof), format_short(r.bound), percent(r.bound / kernel.price.time))) +
         row("", fmt::format("{} of {}, {} of {}", format_short(r.achieved), format_short(r.peak),
                             format_short(r.transferred), format_short(r.bandwidth)));
}

std::string render_operator(const OperatorFacts& facts, std::size_t rank, chip::Fidelity fidelity) {
  std::string out =
      fmt::format("\n{}. {}\n", rank, describe_names(facts)) + row(work::name_of(facts.op), describe_shape(facts.op)) +
      row("takes", fmt::format("{:.6g} x {} = {}, {} of the time; bound by {}", facts.count, format_short(facts.each),
                               format_short(facts.total), percent(facts.share), chip::name_of(facts.bound_by)));
  if (!facts.kernel)
    return out + row("algorithm", fmt::format("{}, not below {}", facts.detail, format_short(facts.bound)));
  out += render_plans(*facts.kernel) + render_time(*facts.kernel, fidelity) + render_bytes(facts.kernel->price);
  return out + render_energy(facts.kernel->price.energy_by_part) + render_roofline(*facts.kernel);
}

std::string render_kernel_time(const Explanation& e) {
  const Parts parts = parts_of(e.kernels.played);
  Seconds played;
  for (const auto& [name, time] : parts) played += time;
  std::string out;
  if (played > Seconds(0))
    out += row("played", fmt::format("{}: {}", format_short(played), describe_parts(parts, played)));
  if (e.kernels.closed_form > Seconds(0)) out += row("closed form", format_short(e.kernels.closed_form));
  return out.empty() ? out : "\ntime of kernels by cause\n" + out;
}

constexpr std::size_t kMostStages = 32;

std::string render_stages(const std::vector<StageFacts>& stages) {
  if (stages.size() < 2) return "";
  std::string out = "\nranks of the pipeline\n";
  for (std::size_t i = 0; i < std::min(stages.size(), kMostStages); ++i) {
    const StageFacts& stage = stages[i];
    std::string passes;
    for (const auto& [name, time] : stage.by_pass)
      passes += fmt::format("{}{} {}", passes.empty() ? "" : ", ", name, format_short(time));
    out += fmt::format("  {:>4}  busy {:>9}, idle {:>9} ({}): {}\n", stage.rank, format_short(stage.busy),
                       format_short(stage.idle), percent(stage.idle / (stage.busy + stage.idle)), passes);
  }
  if (stages.size() > kMostStages) out += fmt::format("  and {} more\n", stages.size() - kMostStages);
  return out;
}

constexpr std::size_t kMostParameters = 40;  // of a table; JSON has all

std::string render_elasticities(const WhatIf& what_if) {
  if (what_if.elasticities.empty()) return "";
  std::string out = fmt::format("\ntime for 1 % more of each number (d ln t / d ln p){:>27}\n", "");
  for (std::size_t i = 0; i < std::min(what_if.elasticities.size(), kMostParameters); ++i) {
    const ParameterFacts& f = what_if.elasticities[i];
    out += fmt::format("  {:<46}{:>14}  {:<9}{:>+9.3f} %\n", f.parameter, f.value, spec::name_of(f.kind), f.elasticity);
  }
  if (what_if.elasticities.size() > kMostParameters)
    out += fmt::format("  and {} more of 0.005 % and above\n", what_if.elasticities.size() - kMostParameters);
  return out;
}

std::string render_halved(const WhatIf& what_if) {
  if (what_if.halved_by.empty()) return "";
  std::string out = "\nwhat would halve the time, alone\n";
  for (const HalvedBy& h : what_if.halved_by) {
    out += h.factor
               ? fmt::format("  {:<46}{:>14} -> {:<16} {:.3g}x\n", h.parameter, h.value, shorten(h.needed), *h.factor)
               : fmt::format("  {:<46}{:>14} cannot: {:.0f} % are left at {}\n", h.parameter, h.value, 100 * h.best,
                             shorten(h.needed));
  }
  return out;
}

std::string render_doubts(const WhatIf& what_if) {
  if (what_if.doubts.empty()) return "";
  std::string out =
      fmt::format("\nnumbers that the time is least sure of (elasticity x their uncertainty; all together {:.1f} %)\n",
                  100 * what_if.doubt);
  for (std::size_t i = 0; i < std::min(what_if.doubts.size(), kMostDoubts); ++i) {
    const ParameterFacts& f = what_if.doubts[i];
    out += fmt::format("  {:<46}{:>14}  {:<9} +-{:<4.0f} % -> +-{:.2f} %  {}\n", f.parameter, f.value,
                       spec::name_of(f.kind), 100 * f.uncertainty, 100 * f.effect(), f.source);
  }
  return out;
}

}  // namespace

std::string render_text(const Explanation& e) {
  const Prediction& p = e.prediction;
  std::string out = render_head(p) + render_memory(p.evaluation) + render_breakdown(p.evaluation) +
                    render_stages(e.stages) + render_kernel_time(e) + render_bottlenecks(p);
  for (std::size_t i = 0; i < e.operators.size(); ++i) out += render_operator(e.operators[i], i + 1, p.fidelity);
  // Of one operator alone nothing is changed: what the whole leans on is said as a prediction says it.
  if (e.what_if.elasticities.empty()) return out + render_assumptions(p);
  return out + render_elasticities(e.what_if) + render_halved(e.what_if) + render_doubts(e.what_if);
}

}  // namespace mlosim::predict
