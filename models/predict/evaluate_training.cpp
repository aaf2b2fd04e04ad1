#include "models/predict/evaluate_training.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "models/plan/pipeline_program.hpp"
#include "models/plan/stage_layers.hpp"
#include "models/predict/close_step.hpp"
#include "models/predict/pipeline_log.hpp"
#include "models/predict/plan_training.hpp"
#include "models/predict/step_player.hpp"
#include "models/predict/training_costs.hpp"
#include "sim/machine/play_pipeline.hpp"

namespace mlosim::predict {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// A virtual stage's passes: of a micro-batch in the middle of the step, and what is longer at its ends.
struct ChunkTimes {
  report::StepReport forward, backward;
  Seconds input_gradient, weight_gradient;  // of schedules that part them
  DataParallelEnds ends;                    // of the step
};

// A step that is played: its chunks on a rank's streams, then the schedule over them on the ranks of the pipeline.
class PlayedStep {
 public:
  PlayedStep(const TrainingSubject& subject, const Training& training, const machine::PriceOptions& prices,
             report::TraceWriter* trace)
      : subject_(subject),
        t_(training),
        p_(t_.parallelism),
        runtime_(resolve_training_runtime(subject, t_)),
        graph_(training_graph(subject, t_, runtime_)),
        launch_(training_launch(subject.hardware.system.chip, runtime_)),
        shape_(p_.shape(t_.micro_batches())),
        stages_(plan::deal_layers(subject.model.layers, shape_.stages())),
        prices_(subject.hardware, prices),
        player_(subject.hardware, trace),
        trace_(trace) {}

  void play(Evaluation& e) {
    std::vector<Seconds> busy;
    for (const plan::StageLayers& stage : stages_) {
      const std::vector<std::uint32_t> blocks = plan::blocks_of(graph_, stage);
      auto chunk = chunks_.find(blocks);
      if (chunk == chunks_.end()) chunk = chunks_.emplace(blocks, play_chunk(blocks)).first;
      chunk_of_stage_.push_back(&chunk->second);
      busy.push_back(chunk->second.forward.makespan + chunk->second.backward.makespan);
    }
    StepEnds ends;
    ends.pipeline = play_pipeline(e.total.events);
    ends.data_parallel = chunk_of(0, 0).ends;
    const std::int64_t fullest = fullest_rank(shape_, busy);
    for (std::int64_t c = 0; c < shape_.chunks(); ++c) {
      e.total.add(chunk_of(fullest, c).forward, runs_of_chunk(shape_));
      e.total.add(chunk_of(fullest, c).backward, runs_of_chunk(shape_));
    }
    const report::StepReport end =
        player_.play("step end", step_end_program(subject_, parameters_of_rank(0), t_, runtime_), prices_, launch_);
    report::StepReport operators = e.total;
    operators.add(end, 1);
    ends.end = end;
    close_step(e.total, ends, t_, subject_.hardware.system.chip);
    e.total.ops = std::move(operators.ops);
    e.total.events = operators.events;
    const TrainingFlops flops = count_flops(graph_);
    e.model_flops = micro_batches_of_step(t_) * flops.model;
    e.hardware_flops = micro_batches_of_step(t_) * flops.hardware;
    e.memory = plan_memory(subject_, graph_, t_, runtime_);
  }

 private:
  report::StepReport play(const std::string& phase, const plan::ChunkShape& chunk) {
    return player_.play(phase, chunk_program(subject_, graph_, chunk, t_, runtime_), prices_, launch_);
  }

  ChunkTimes play_chunk(const std::vector<std::uint32_t>& blocks) {
    const bool gathers = p_.gathers_in_layers(), reduces = p_.reduces_in_layers();
    ChunkTimes times;
    times.forward = play("forward", {.blocks = blocks, .data_parallel = {.gathers_parameters = gathers}});
    times.backward = play("backward", {.blocks = blocks,
                                       .backward = true,
                                       .data_parallel = {.gathers_parameters = gathers, .reduces_gradients = reduces}});
    if (plan::gathers_at_start(p_, runtime_)) {
      const report::StepReport first =
          play("first forward", {.blocks = blocks, .data_parallel = {.gathers_parameters = true}});
      times.ends.add(first, times.forward);
    }
    if (!reduces && runtime_.overlaps_grad_reduce) {
      const report::StepReport last =
          play("last backward", {.blocks = blocks, .backward = true, .data_parallel = {.reduces_gradients = true}});
      times.ends.add(last, times.backward);
    }
    if (parts_gradients(p_)) {
      report::StepReport inputs =
          play("input gradients", {.blocks = blocks, .backward = true, .weight_gradients = false});
      wait_for_host(blocks, inputs);
      times.input_gradient = inputs.makespan;
      times.weight_gradient = play("weight gradients", {.blocks = blocks,
                                                        .backward = true,
                                                        .input_gradients = false,
                                                        .data_parallel = {.reduces_gradients = reduces}})
                                  .makespan;
    }
    wait_for_host(blocks, times.forward);
    wait_for_host(blocks, times.backward);
    if (!parts_gradients(p_)) times.input_gradient = times.backward.makespan;
    return times;
  }

  // What is offloaded goes to the host beside the forward pass and comes back beside the backward pass.
  void wait_for_host(const std::vector<std::uint32_t>& blocks, report::StepReport& pass) const {
    Bytes offloaded;
    for (const std::uint32_t b : blocks) offloaded += plan::memory_of(graph_.blocks[b], p_).offloaded;
    const spec::ChipSpec& chip = subject_.hardware.system.chip;
    const Seconds wait = offload_wait(offloaded, pass.makespan, chip);
    pass.wait(wait, &report::TimeBreakdown::communication_exposed, chip::Resource::host, chip.power.static_power());
    pass.communication_total += wait;
  }

  const ChunkTimes& chunk_of(std::int64_t rank, std::int64_t chunk) const {
    return *chunk_of_stage_[static_cast<std::size_t>(shape_.stage_of(rank, chunk))];
  }

  Seconds play_pipeline(double& events) {
    const Seconds message = p_.pp > 1 ? prices_.price(stage_message(subject_, t_)).time : Seconds(0);
    std::vector<plan::StageTimes> times;
    for (const ChunkTimes* chunk : chunk_of_stage_) {
      times.push_back({.forward = chunk->forward.makespan,
                       .input_gradient = chunk->input_gradient,
                       .weight_gradient = chunk->weight_gradient,
                       .send_activation = message,
                       .send_gradient = message});
    }
    const machine::SendMode mode = runtime_.overlaps_p2p ? machine::SendMode::overlapped : machine::SendMode::blocking;
    const plan::Schedule schedule = plan::make_schedule(shape_);
    const machine::Pipeline program = plan::build_pipeline(schedule, times, !runtime_.overlaps_p2p);
    const std::vector<double> slowdowns = slowdowns_of_ranks(t_);
    if (trace_) {
      PipelineLog log(schedule, program);
      event::Facts<machine::PipelineFact> facts;
      facts.attach(log);
      machine::play_pipeline(program, mode, std::span(slowdowns).first(program.ranks()), facts);
      trace_->add_ranks("stage", log.take());
    }
    const machine::ReplicaResults replicas = machine::play_replicas(program, mode, slowdowns);
    for (const machine::PipelineResult& replica : replicas.played) events += static_cast<double>(replica.events);
    return event::to_seconds(replicas.makespan());
  }

  plan::Parameters parameters_of_rank(std::int64_t rank) const {
    plan::Parameters own;
    for (std::int64_t c = 0; c < shape_.chunks(); ++c) {
      for (const std::uint32_t b : plan::blocks_of(graph_, stages_[static_cast<std::size_t>(shape_.stage_of(rank, c))]))
        own.add(plan::Parameters::of(graph_.blocks[b]), 1);
    }
    return own;
  }

  const TrainingSubject& subject_;
  const Training& t_;
  const plan::TrainingParallelism& p_;
  spec::TrainingRuntime runtime_;
  graph::TrainingGraph graph_;
  spec::LaunchSpec launch_;
  plan::ScheduleShape shape_;
  std::vector<plan::StageLayers> stages_;
  machine::PriceBook prices_;
  StepPlayer player_;
  report::TraceWriter* trace_;
  std::map<std::vector<std::uint32_t>, ChunkTimes> chunks_;  // by the blocks that they hold
  std::vector<const ChunkTimes*> chunk_of_stage_;
};

// What does not come of the passes: chips, tokens, time at the peak, what failures leave of the run. Checkpoints hold
// the parameters and what the optimiser keeps of them.
void fill_frame(const TrainingSubject& subject, const Training& t, Evaluation& e) {
  e.chips = t.parallelism.chips();
  e.tokens = d(t.global_batch) * d(t.sequence);
  e.peak_time = time_at_peak(e.model_flops, subject.precision, subject.hardware.system.chip, e.chips);
  if (!t.reality.failures && !t.reality.checkpoints) return;
  const plan::TrainingState state = stage_setting(subject, t, resolve_training_runtime(subject, t)).state;
  const Bytes each = work::bytes_per_element(state.weights) + state.optimizer_bytes();
  const Bytes all = graph::count_parameters(subject.model).total() * each;
  e.goodput = plan::estimate_goodput(t.reality.failures, t.reality.checkpoints, t.parallelism.chips(), all);
}

TrainingSubject subject_of(const Workload& workload, const graph::Precision& precision,
                           const spec::Hardware& hardware) {
  return {.model = *workload.model,
          .precision = precision,
          .hardware = hardware,
          .gradients = workload.precision.gradients};
}

}  // namespace

machine::PriceOptions training_price_options(const EvaluateOptions& options, const spec::ChipSpec& chip) {
  return price_options(options, {.between_uses = chip.usable_memory / 2, .rotates_weights = false}, true);
}

void fill_evaluation(const TrainingSubject& subject, const Training& training, const TrainingEstimate& estimate,
                     Evaluation& e) {
  static_cast<report::StepCost&>(e.total) = estimate.total;
  e.model_flops = estimate.model_flops;
  e.hardware_flops = estimate.hardware_flops;
  e.memory = plan::memory_plan(estimate.memory, estimate.capacity);
  fill_frame(subject, training, e);
}

std::vector<std::pair<std::string, Bytes>> layouts_that_fit(const Workload& workload, const graph::Precision& precision,
                                                            const spec::Hardware& hardware) {
  std::vector<std::pair<std::string, Bytes>> layouts;
  for (const plan::FittingLayout& layout :
       fitting_layouts(subject_of(workload, precision, hardware), *workload.training))
    layouts.emplace_back(layout.change, layout.total);
  return layouts;
}

Evaluation evaluate_training(const Workload& workload, const graph::Precision& precision,
                             const spec::Hardware& hardware, const EvaluateOptions& options) {
  const Training& training = *workload.training;
  const TrainingSubject subject = subject_of(workload, precision, hardware);
  const machine::PriceOptions prices = training_price_options(options, hardware.system.chip);
  Evaluation e;
  if (options.fidelity == chip::Fidelity::event) {
    PlayedStep(subject, training, prices, options.trace).play(e);
    fill_frame(subject, training, e);
  } else {
    TrainingCosts costs(subject, prices);
    const TrainingEstimate estimate = costs.estimate(training);
    fill_evaluation(subject, training, estimate, e);
    if (options.lists_operators) e.total.ops = costs.operators(training, estimate.fullest);
  }
  return e;
}

}  // namespace mlosim::predict
