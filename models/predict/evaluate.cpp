#include "models/predict/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/plan/inference_stages.hpp"
#include "models/plan/inference_step.hpp"
#include "models/predict/evaluate_training.hpp"
#include "models/predict/pipelined_step.hpp"
#include "models/predict/step_player.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {
namespace {

using graph::Precision;
using machine::Program;
using work::DType;

constexpr std::int64_t kMostPlayedSteps = 17;  // of a generation; between them the time of a step is taken as linear

double d(std::int64_t n) { return static_cast<double>(n); }

// The network's side of an evaluation.
class InferenceRun {
 public:
  InferenceRun(const Workload& workload, const Precision& precision, const spec::Hardware& hardware,
               const EvaluateOptions& options)
      : w_(workload),
        model_(*workload.model),
        precision_(precision),
        hardware_(hardware),
        memory_(plan_memory()),
        operands_{.between_uses = memory_.weights + memory_.kv_cache, .rotates_weights = false},
        prefill_prices_(hardware, price_options(options, operands_, true)),
        decode_prices_(hardware, price_options(options, operands_, false)),
        player_(hardware, options.trace) {}

  Evaluation run() {
    Evaluation e;
    e.chips = w_.parallelism.chips();
    e.memory = memory_;
    const Inference& i = w_.inference;
    switch (w_.task) {
      case Task::prefill:
        e.total = prefill(e);
        e.tokens = d(i.batch) * d(prompt_tokens());
        e.prefill_time = e.total.makespan;
        break;
      case Task::decode:
        e.total = decode(i.prompt + i.output / 2, e, 1);
        e.tokens = d(i.batch);
        e.step_time = e.total.makespan;
        break;
      case Task::generate:
        run_generation(e);
        break;
      case Task::ops:
      case Task::train:
        MLOSIM_CHECK(false);
    }
    e.peak_time = time_at_peak(e.model_flops, precision_, hardware_.system.chip, e.chips);
    return e;
  }

 private:
  std::int64_t local_batch() const { return w_.inference.batch / (w_.parallelism.dp * w_.parallelism.attention_dp); }

  plan::MicroBatches micro_batches() const { return plan::MicroBatches::of(local_batch(), w_.parallelism.pp); }

  // Tokens of one sequence that a prefill computes: those of the image where there is one.
  std::int64_t prompt_tokens() const { return model_.image > 0 ? model_.image_tokens() : w_.inference.prompt; }

  plan::MemoryPlan plan_memory() const {
    const Inference& i = w_.inference;
    const bool decodes = w_.task != Task::prefill, prefills = w_.task != Task::decode;
    return plan::plan_inference_memory(
        model_, w_.parallelism, precision_, i.batch, decodes ? i.prompt + i.output : i.prompt,
        micro_batches().size * (prefills ? (prompt_tokens() + w_.parallelism.cp - 1) / w_.parallelism.cp : 1),
        hardware_.system.chip.usable_memory, hardware_.runtime);
  }

  // `shape` is of all sequences of an attention sub-group, whole.
  report::StepReport play_step(const std::string& phase, graph::StepShape shape, spec::LaunchPath launch, Evaluation& e,
                               double times) {
    const plan::Parallelism& p = w_.parallelism;
    graph::Graph graph = build_graph(shape);
    Flops flops;
    for (const graph::Block& block : graph.blocks) {
      for (const graph::GraphNode& node : block.nodes) flops += d(block.repeat()) * work::work_of(node.op).matrix;
    }
    e.model_flops += times * d(p.dp * p.attention_dp) * flops;
    shape.batch = micro_batches().size;
    shape.cp = p.cp;
    if (p.pp > 1 || p.cp > 1) graph = build_graph(shape);
    PipelinedStep step{.stages = {}, .micro_batches = micro_batches().count, .repeats = shape.decode};
    std::map<plan::InferenceStage, report::StepReport> played;
    for (const plan::InferenceStage& stage : plan::deal_stages(graph, p.pp)) {
      const bool is_new = !played.contains(stage);
      if (is_new) {
        const std::string name =
            p.pp == 1 ? phase : fmt::format("{}, stage {} of {}", phase, step.stages.size() + 1, p.pp);
        played.emplace(stage, play_stage(name, graph, stage, launch, shape.decode));
      }
      step.stages.push_back(played.at(stage));
      if (!is_new) step.stages.back().events = 0;
    }
    return mean_of_stages(std::move(step), hardware_.system.chip.power.static_power());
  }

  graph::Graph build_graph(const graph::StepShape& shape) const {
    const spec::RuntimeSpec& r = hardware_.runtime;
    return graph::build_inference_graph(model_, shape, precision_,
                                        {.fuses_residual_norm = r.fuses_residual_norm,
                                         .fuses_gate_activation = r.fuses_gate_activation,
                                         .fuses_rope = r.fuses_rope,
                                         .fused_attention = r.fused_attention});
  }

  report::StepReport play_stage(const std::string& name, const graph::Graph& graph, const plan::InferenceStage& stage,
                                spec::LaunchPath launch, bool decode) {
    const spec::RuntimeSpec& r = hardware_.runtime;
    Program program = plan::plan_inference_stage(graph, stage, w_.parallelism, precision_,
                                                 {.launch = launch,
                                                  .fuses_pointwise = r.fuses_elementwise,
                                                  .fuses_quantisation = r.fuses_quantisation,
                                                  .separate_residual = r.fuses_residual_norm,
                                                  .decode = decode});
    program.lead_time =
        r.step_overhead + (launch == spec::LaunchPath::eager ? Seconds(0) : hardware_.system.chip.launch.step);
    return player_.play(name, program, decode ? decode_prices_ : prefill_prices_);
  }

  report::StepReport prefill(Evaluation& e) {
    return play_step(
        "prefill",
        {.batch = local_batch(), .new_tokens = w_.inference.prompt, .context = w_.inference.prompt, .decode = false},
        hardware_.runtime.prefill_launch, e, 1);
  }

  report::StepReport decode(std::int64_t context, Evaluation& e, double times) {
    const graph::StepShape shape{.batch = local_batch(),
                                 .new_tokens = 1,
                                 .context = context,
                                 .decode = true,
                                 .source_tokens = source_tokens(context)};
    return play_step(fmt::format("decode at {} tokens", context), shape, hardware_.runtime.decode_launch, e, times);
  }

  // An encoder-decoder's prompt is in its encoder.
  std::int64_t source_tokens(std::int64_t context) const {
    return model_.architecture == graph::Architecture::encoder_decoder ? std::min(w_.inference.prompt, context) : 0;
  }

  void run_generation(Evaluation& e) {
    const Inference& i = w_.inference;
    const report::StepReport first = prefill(e);
    if (!i.count_prefill) e.model_flops = Flops(0);
    report::StepReport steps;
    for (const auto& [step, times] : played_steps(i.output)) steps.add(decode(i.prompt + step, e, times), times);
    e.prefill_time = first.makespan;
    e.step_time = steps.makespan / d(i.output);
    e.end_to_end = first.makespan + steps.makespan;
    e.tokens = d(i.batch) * d(i.output);
    if (i.count_prefill) e.total = first;
    if (i.count_prefill) prefix_ops(e.total, "prefill.");
    prefix_ops(steps, "decode.");
    e.total.add(steps, 1);
  }

  static void prefix_ops(report::StepReport& report, std::string_view prefix) {
    for (report::OpTotal& op : report.ops) op.name = fmt::format("{}{}", prefix, op.name);
  }

  // Steps that are played, with how many each stands for: all of a short generation, else evenly spread ones, the steps
  // between two of them shared by distance.
  static std::vector<std::pair<std::int64_t, double>> played_steps(std::int64_t output) {
    std::vector<std::pair<std::int64_t, double>> steps;
    const std::int64_t count = std::min(output, kMostPlayedSteps);
    for (std::int64_t k = 0; k < count; ++k)
      steps.emplace_back(count == 1 ? 1 : 1 + k * (output - 1) / (count - 1), 1.0);
    for (std::size_t k = 0; k + 1 < steps.size(); ++k) {
      const double between = d(steps[k + 1].first - steps[k].first - 1);
      steps[k].second += between / 2;
      steps[k + 1].second += between / 2;
    }
    return steps;
  }

  const Workload& w_;
  const graph::ModelSpec& model_;
  const Precision& precision_;
  const spec::Hardware& hardware_;
  plan::MemoryPlan memory_;
  chip::OperandState operands_;
  // A prompt keeps the units busy for long: no kernel draws more than the cap. Kernels of a decode step are short and
  // may.
  machine::PriceBook prefill_prices_, decode_prices_;
  StepPlayer player_;
};

// That a collective's groups need at least, with the chips between their ranks.
std::int64_t chips_of(const work::Operator& op) {
  const auto* collective = std::get_if<work::Collective>(&op);
  return collective ? collective->ranks * collective->stride : 1;
}

std::int64_t chips_of_ops(const Workload& workload) {
  std::int64_t chips = workload.chips.value_or(1);
  for (const work::Operator& op : workload.ops) chips = std::max(chips, chips_of(op));
  return chips;
}

// Operators of one stream one after the other: one thread of the trace for kernels, one for collectives.
void queue_in_order(Program& program) {
  program.streams = {{"compute", machine::StreamKind::compute}, {"communication", machine::StreamKind::communication}};
  for (std::uint32_t i = 0; i < program.ops.size(); ++i) {
    const bool is_collective = std::holds_alternative<work::Collective>(program.ops[i].op);
    program.tasks.push_back({.op = i,
                             .stream = is_collective ? 1u : 0u,
                             .after = i == 0 ? std::vector<std::uint32_t>{} : std::vector<std::uint32_t>{i - 1}});
  }
}

// Operators of several streams beside each other.
void queue_on_streams(const std::vector<std::int64_t>& streams, Program& program) {
  std::vector<std::int64_t> numbers = streams;
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (const std::int64_t number : numbers) {
    bool communicates = true;
    for (std::size_t i = 0; i < streams.size(); ++i)
      communicates &= streams[i] != number || std::holds_alternative<work::Collective>(program.ops[i].op);
    program.streams.push_back({fmt::format("stream {}", number),
                               communicates ? machine::StreamKind::communication : machine::StreamKind::compute});
  }
  for (std::uint32_t i = 0; i < program.ops.size(); ++i) {
    const auto stream = std::lower_bound(numbers.begin(), numbers.end(), streams[i]) - numbers.begin();
    program.tasks.push_back({.op = i, .stream = static_cast<std::uint32_t>(stream), .after = {}});
  }
}

// Prices every operator, so that what the machine cannot run is all reported, where it is written.
void price_ops(const Workload& workload, machine::PriceBook& prices) {
  spec::Diagnostics mistakes;
  for (std::size_t i = 0; i < workload.ops.size(); ++i) {
    try {
      prices.price(workload.ops[i]);
    } catch (const spec::InputError& error) {
      for (spec::Diagnostic mistake : error.diagnostics()) {
        if (i < workload.op_places.size()) mistake.place = workload.op_places[i];
        mistake.path = fmt::format("ops.{}", i);
        mistakes.add(std::move(mistake));
      }
    }
  }
  mistakes.throw_if_any();
}

// Operators as a benchmark loop would run each: replayed, weights rotated past the cache, the rest warm.
Evaluation evaluate_ops(const Workload& workload, const spec::Hardware& hardware, const EvaluateOptions& options) {
  Program program;
  Evaluation e;
  e.chips = chips_of_ops(workload);
  for (std::size_t i = 0; i < workload.ops.size(); ++i) {
    program.ops.push_back({fmt::format("ops.{}.{}", i, work::name_of(workload.ops[i])), workload.ops[i]});
    const work::OpWork work = work::work_of(workload.ops[i]);
    e.model_flops += d(e.chips) * work.matrix;  // every chip runs the operator
    if (const auto peak = hardware.system.chip.matrix_peak(work.matrix_dtype)) e.peak_time += work.matrix / *peak;
  }
  const bool is_one_stream = std::adjacent_find(workload.streams.begin(), workload.streams.end(),
                                                std::not_equal_to<>()) == workload.streams.end();
  is_one_stream ? queue_in_order(program) : queue_on_streams(workload.streams, program);
  machine::PriceBook prices(hardware,
                            price_options(options, {.between_uses = Bytes(0), .rotates_weights = true}, false));
  price_ops(workload, prices);
  e.total = StepPlayer(hardware, options.trace).play("ops", program, prices);
  e.total.events += static_cast<double>(prices.events());
  return e;
}

}  // namespace

machine::PriceOptions price_options(const EvaluateOptions& options, const chip::OperandState& operands,
                                    bool sustained) {
  return {.fidelity = options.fidelity, .operands = operands, .sustained = sustained, .max_events = options.max_events};
}

Seconds time_at_peak(Flops flops, const Precision& precision, const spec::ChipSpec& chip, std::int64_t chips) {
  const DType wider = work::bytes_per_element(precision.weights) >= work::bytes_per_element(precision.activations)
                          ? precision.weights
                          : precision.activations;
  const auto peak = chip.matrix_peak(work::arithmetic_of(wider));
  return peak ? flops / *peak / d(chips) : Seconds(0);
}

Precision resolve_precision(const PrecisionChoice& choice, const graph::ModelSpec& model, const spec::ChipSpec& chip,
                            std::vector<std::string>& warnings) {
  const auto has = [&](DType dtype) { return chip.matrix_rate(work::arithmetic_of(dtype), chip.clock).has_value(); };
  Precision p;
  const DType half =
      chip.matrix.contains(DType::bf16) || !chip.matrix.contains(DType::fp16) ? DType::bf16 : DType::fp16;
  const DType published = model.weights_dtype.value_or(half);
  p.weights = choice.weights.value_or(published);
  const bool is_wide = !work::is_quantised(p.weights) && p.weights != DType::int4;
  p.compute = is_wide ? p.weights : half;
  if (choice.activations) {
    p.activations = *choice.activations;
  } else if (is_wide) {
    p.activations = p.weights;
  } else if (p.weights == DType::int4) {
    p.activations = half;
  } else if (has(p.weights)) {
    p.activations = p.weights;
  } else if (choice.weights) {
    throw spec::InputError(
        fmt::format("{} has no {} arithmetic", chip.name, work::name_of(p.weights)),
        fmt::format("write precision: {{weights: {}, activations: {}}} to keep only the weights in it",
                    work::name_of(p.weights), work::name_of(half)));
  } else {
    p.activations = half;
    warnings.push_back(fmt::format("{} has no {} arithmetic: the published weights are widened to {}", chip.name,
                                   work::name_of(p.weights), work::name_of(half)));
  }
  if (p.compute == DType::tf32) p.compute = DType::fp32;
  p.kv_cache = choice.kv_cache.value_or(p.compute);
  return p;
}

spec::RuntimeSpec resolve_runtime(const spec::RuntimeSpec& profile, const RuntimeChoice& choice) {
  spec::RuntimeSpec r = profile;
  if (choice.graphs)
    r.decode_launch = r.prefill_launch = *choice.graphs ? spec::LaunchPath::graph : spec::LaunchPath::eager;
  if (choice.fusion && !*choice.fusion)
    r.fuses_residual_norm = r.fuses_gate_activation = r.fuses_rope = r.fuses_elementwise = false;
  if (choice.fused_attention) r.fused_attention = *choice.fused_attention;
  return r;
}

std::int64_t chips_of(const Workload& workload) {
  if (workload.task == Task::ops) return chips_of_ops(workload);
  return workload.training ? workload.training->parallelism.chips() : workload.parallelism.chips();
}

void check_against_machine(const Workload& workload, const spec::SystemSpec& system) {
  const std::int64_t joined = system.fabric.topology == spec::Topology::none ? 1 : system.fabric.chips;
  const std::int64_t chips = chips_of(workload);
  const auto refuse = [&](std::string message, std::string hint) {
    throw spec::InputError(
        {{.place = workload.system_place, .path = "system", .message = std::move(message), .hint = std::move(hint)}});
  };
  if (chips > 1 && joined == 1) {
    refuse(fmt::format("{} is one chip; the workload asks for {}", system.name, chips),
           "name a system that joins chips, such as 'dgx_h200' (mlosim list systems)");
  }
  if (chips > joined && !system.scale_out) {
    refuse(
        fmt::format("{} has {} chips and no scale-out network; the workload asks for {}", system.name, joined, chips),
        "");
  }
}

Evaluation evaluate(const Workload& workload, const Precision& precision, const spec::Hardware& hardware,
                    const EvaluateOptions& options) {
  if (workload.task == Task::ops) return evaluate_ops(workload, hardware, options);
  if (workload.task == Task::train) return evaluate_training(workload, precision, hardware, options);
  return InferenceRun(workload, precision, hardware, options).run();
}

}  // namespace mlosim::predict
