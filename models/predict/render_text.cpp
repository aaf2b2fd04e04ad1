#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "models/predict/render.hpp"
#include "models/predict/render_parts.hpp"
#include "sim/units/format.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::predict {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string shorten(const std::string& quantity) {
  const auto parsed = parse_quantity(quantity);
  const auto* number = std::get_if<ParsedQuantity>(&parsed);
  return number ? format_short(number->si, number->dimension) : quantity;
}

std::string row(std::string_view label, const std::string& text) {
  constexpr int kLabel = 12;
  return fmt::format("  {:<{}}  {}\n", label, kLabel, text);
}

namespace {

// "static 41.2 %, bf16 10.1 %, …": parts of the facility's energy, or of the chips' where that is not known.
std::string render_energy(const Prediction& p) {
  const report::EnergyParts& parts = p.evaluation.total.energy_parts;
  const double chips = static_cast<double>(p.evaluation.chips);
  const Economics& e = p.economics;
  std::string out =
      row("power", fmt::format("{} per chip, {} in all", format_short(p.power_per_chip), format_short(p.energy)));
  const Joules whole = e.facility.value_or(p.energy);
  std::string text;
  const auto add = [&](std::string_view name, Joules part) {
    constexpr double kLeast = 0.005;
    if (part > kLeast * whole) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, percent(part / whole));
  };
  add("static", chips * (p.evaluation.total.energy - parts.in_chip()));
  for (const work::DType dtype : work::kDTypes)
    add(fmt::format("{} units", work::name_of(dtype)), chips * parts.matrix_of(dtype));
  add("vector units", chips * parts.vector);
  add("memory", chips * parts.memory);
  add("fabric", chips * parts.fabric);
  add("scale-out", chips * parts.scale_out);
  if (!e.facility) return out + row("energy", text);
  add("nodes", e.host);
  add("cooling", *e.facility - p.energy - e.links - e.host);
  out += row("energy", fmt::format("{} of the facility: {}", format_short(*e.facility), text));
  std::string rates = e.tokens_per_joule ? fmt::format("{:.3g} tokens a joule", *e.tokens_per_joule) : "";
  if (e.carbon_g) rates += fmt::format("{}{:.3g} g CO2", rates.empty() ? "" : ", ", *e.carbon_g);
  return rates.empty() ? out : out + row("", rates);
}

std::string render_cost(const Prediction& p) {
  const Economics& e = p.economics;
  if (!e.bill) return "";
  std::string text = fmt::format("{:.3g} USD", e.bill->total().si());
  if (e.per_million_tokens) text += fmt::format(", {:.3g} USD per million tokens", e.per_million_tokens->si());
  if (e.per_million_useful_tokens) text += fmt::format(", {:.3g} of useful ones", e.per_million_useful_tokens->si());
  if (e.bill->basis == spec::CostBasis::own)
    text += fmt::format("; owned: capital {:.3g}, electricity {:.3g}", e.bill->chips.si(), e.bill->electricity.si());
  return row("cost", text);
}

}  // namespace

std::string render_head(const Prediction& p) {
  const Evaluation& e = p.evaluation;
  std::string out = p.workload + "\n";
  out += row("system", fmt::format("{}, {} x {}, runtime {}, fidelity {}", p.system, e.chips, p.chip, p.runtime,
                                   chip::name_of(p.fidelity)));
  if (const std::string coarse = render_coarseness(p); !coarse.empty()) out += row("", coarse);
  out += row("time", fmt::format("{}  ({:.0f} % interval: {} to {})", format_short(e.total.makespan),
                                 100 * kIntervalLevel, format_short(p.interval.low), format_short(p.interval.high)));
  if (p.tokens_per_s)
    out +=
        row("throughput", fmt::format("{:.4g} tokens/s, {:.4g} per chip", *p.tokens_per_s, *p.tokens_per_s_per_chip));
  if (e.prefill_time && p.task != Task::prefill)
    out += row("latency", fmt::format("first token {}, then {} a token", format_short(*e.prefill_time),
                                      format_short(*e.step_time)));
  out += row("MFU", fmt::format("{}  ({} per chip{})", percent(p.mfu), format_short(p.achieved_flops_per_chip),
                                p.hfu > p.mfu ? fmt::format("; {} with what is computed again", percent(p.hfu)) : ""));
  if (const auto& g = e.goodput) {
    out += row("goodput", fmt::format("{} of the time; checkpoints {}, lost work {}, restarts {}, repairs {}",
                                      percent(g->useful), percent(g->checkpointing), percent(g->lost_work),
                                      percent(g->restarting), percent(g->waiting)));
    out += row("",
               fmt::format("a checkpoint every {}{}", format_short(g->interval),
                           g->between_failures ? fmt::format(", a failure every {}", format_short(*g->between_failures))
                                               : std::string()));
  }
  return out + render_energy(p) + render_cost(p);
}

std::string render_memory(const Evaluation& e) {
  if (!e.memory) return "";
  const plan::MemoryPlan& m = *e.memory;
  std::string parts = fmt::format("weights {}", format_short(m.weights));
  for (const auto& [name, bytes] :
       {std::pair{"gradients", m.gradients}, std::pair{"optimizer", m.optimizer}, std::pair{"KV cache", m.kv_cache}}) {
    if (bytes > Bytes(0)) parts += fmt::format(", {} {}", name, format_short(bytes));
  }
  const std::string out = row(
      "memory", fmt::format("{} of {} per chip: {}, activations {}, workspace {}", format_short(m.total()),
                            format_short(m.capacity), parts, format_short(m.activations), format_short(m.workspace)));
  return m.fits() ? out : out + row("", "DOES NOT FIT: " + render_shortfall(m));
}

std::string render_breakdown(const Evaluation& e) {
  const report::TimeBreakdown& b = e.total.breakdown;
  std::string out = "\nwhere the time goes\n";
  for (const auto& [label, part] :
       {std::pair{"compute", b.compute}, std::pair{"memory", b.memory},
        std::pair{"communication (exposed)", b.communication_exposed}, std::pair{"bubble", b.bubble},
        std::pair{"overhead", b.overhead}, std::pair{"optimizer", b.optimizer}}) {
    if (part > Seconds(0))
      out += fmt::format("  {:<24}{:>10}{:>9}\n", label, format_short(part), percent(part / e.total.makespan));
  }
  return out;
}

std::string render_bottlenecks(const Prediction& p) {
  std::string out = "\nbottlenecks               share  time for 1 % more of it\n";
  for (const Bottleneck& b : p.bottlenecks)
    out += fmt::format("  {:<20}{:>9}{:>15}\n", b.resource, percent(b.share), fmt::format("{:+.2f} %", b.elasticity));
  return out;
}

namespace {

constexpr std::size_t kMostOps = 24;  // rows of the operator table; the rest is summed up

std::string render_ops(const Evaluation& e) {
  std::vector<const report::OpTotal*> ops;
  std::size_t width = 8;
  for (const report::OpTotal& op : e.total.ops) {
    ops.push_back(&op);
    width = std::max(width, op.name.size());
  }
  // All of a short program in its order; of a long one those that take longest.
  if (ops.size() > kMostOps) {
    std::stable_sort(ops.begin(), ops.end(),
                     [](const report::OpTotal* a, const report::OpTotal* b) { return a->time > b->time; });
  }
  const std::size_t shown = std::min(ops.size(), kMostOps);
  std::string out = fmt::format("\n{:<{}}{:>8}{:>11}{:>11}{:>8}  {:<15} plan\n", "operators", width + 2, "count",
                                "each", "total", "share", "bound by");
  for (std::size_t i = 0; i < shown; ++i) {
    const report::OpTotal& op = *ops[i];
    const std::string bound_by(chip::name_of(op.bound_by));
    out += fmt::format("  {:<{}}{:>8.6g}{:>11}{:>11}{:>8}  {}\n", op.name, width, op.count, format_short(op.each),
                       format_short(op.time), percent(op.time / e.total.makespan),
                       op.detail.empty() ? bound_by : fmt::format("{:<15} {}", bound_by, op.detail));
  }
  if (shown == ops.size()) return out;
  Seconds rest;
  for (std::size_t i = shown; i < ops.size(); ++i) rest += ops[i]->time;
  return out + fmt::format("  {:<{}}{:>8}{:>11}{:>11}{:>8}\n", fmt::format("{} more", ops.size() - shown), width, "",
                           "", format_short(rest), percent(rest / e.total.makespan));
}

}  // namespace

std::string render_assumptions(const Prediction& p) {
  if (p.assumptions.empty()) return "";
  std::size_t width = 0;
  for (const Assumption& a : p.assumptions) width = std::max(width, a.parameter.size());
  std::string out = "\nleans on numbers that nobody measured (time for 1 % more of it)\n";
  for (const Assumption& a : p.assumptions) {
    out += fmt::format("  {:<{}}{:>11}  {:<9}{:>9}  {}\n", a.parameter, width, a.value, spec::name_of(a.kind),
                       fmt::format("{:+.3f} %", a.elasticity), a.source);
  }
  return out;
}

namespace {

// Of training: what would fit.
std::string render_fitting(const plan::MemoryPlan& m) {
  if (m.fitting.empty())
    return "no layout near this one fits: cut the model over more chips (tp, pp), share out its states (zero) or "
           "recompute";
  std::string text = "what fits: ";
  for (const auto& [change, total] : m.fitting)
    text += fmt::format("{}{} ({})", &change == &m.fitting.front().first ? "" : "; or ", change, format_short(total));
  return text;
}

}  // namespace

std::string render_shortfall(const plan::MemoryPlan& m) {
  const std::string missing = fmt::format("{} too much on each chip; ", format_short(m.total() - m.capacity));
  if (m.optimizer + m.gradients > Bytes(0)) return missing + render_fitting(m);
  const Bytes without_cache = m.weights + m.workspace;
  if (without_cache >= m.capacity) {
    return missing +
           "the weights alone do not fit: cut them over more chips (tp, ep), store them in fewer bits (precision), or "
           "take a chip with more memory";
  }
  const Bytes per_sequence =
      m.per_sequence + m.activations / static_cast<double>(std::max<std::int64_t>(1, m.sequences));
  const auto fitting = static_cast<std::int64_t>((m.capacity - without_cache) / per_sequence);
  if (fitting < 1)
    return missing + "not even one sequence fits: shorten it, cut over more chips (tp), or keep the KV cache in fp8";
  return missing + fmt::format(
                       "about {} sequences a chip fit instead of {}; or shorten them, cut over more chips (tp), or "
                       "keep the KV cache in fp8",
                       fitting, m.sequences);
}

std::string render_coarseness(const Prediction& p) {
  std::size_t played = 0, merged = 0, folded = 0, coarse = 0;
  for (const report::OpTotal& op : p.evaluation.total.ops) {
    if (!op.kernel || op.kernel->events == 0) continue;
    ++played;
    merged += op.kernel->coarseness.merged_steps > 1 ? 1 : 0;
    folded += op.kernel->coarseness.folded_waves > 0 ? 1 : 0;
    coarse += op.kernel->coarseness.any() ? 1 : 0;
  }
  if (coarse == 0) return "";
  return fmt::format(
      "{} of {} played kernels are played coarsely ({} in longer steps, {} with equal waves folded) to stay within {} "
      "events each; --max-events allows more",
      coarse, played, merged, folded, p.max_events);
}

std::string render_text(const Prediction& p) {
  return render_head(p) + render_memory(p.evaluation) + render_breakdown(p.evaluation) + render_bottlenecks(p) +
         render_ops(p.evaluation) + render_assumptions(p);
}

}  // namespace mlosim::predict
