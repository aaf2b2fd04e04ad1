#include "models/predict/evaluate_training.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "models/plan/pipeline_program.hpp"
#include "models/plan/stage_layers.hpp"
#include "models/predict/close_step.hpp"
#include "models/predict/pipeline_log.hpp"
#include "models/predict/plan_training.hpp"
#include "models/predict/step_player.hpp"
#include "models/predict/step_traffic.hpp"
#include "models/predict/training_costs.hpp"
#include "sim/machine/play_pipeline.hpp"

namespace mlosim::predict {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// A virtual stage's passes, of a micro-batch in the middle of the step.
struct ChunkTimes {
  report::StepReport forward, backward;
  Seconds input_gradient, weight_gradient;  // of schedules that part them
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
    const std::int64_t fullest = fullest_rank(shape_, busy);
    MeanWork mean;
    for (const ChunkTimes* chunk : chunk_of_stage_) {
      mean.add(chunk->forward, d(shape_.micro_batches) / d(shape_.pp));
      mean.add(chunk->backward, d(shape_.micro_batches) / d(shape_.pp));
    }
    for (std::int64_t c = 0; c < shape_.chunks(); ++c) {
      e.total.add(chunk_of(fullest, c).forward, runs_of_chunk(shape_));
      e.total.add(chunk_of(fullest, c).backward, runs_of_chunk(shape_));
    }
    StepEnds ends;
    report::StepReport beside;
    run_pipeline(fullest, ends, mean, beside.events);
    exchange_once(fullest, ends, mean);
    beside.ops = traffic_operators(subject_, graph_, t_, {.rank = fullest, .counts = layers_of_rank(fullest)}, prices_);
    const report::StepReport end = play_ends(fullest, ends, mean);
    report::StepReport operators = e.total;
    operators.add(beside, 1);
    operators.add(end, 1);
    close_step(e.total, ends, mean, t_, subject_.hardware.system.chip);
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

  std::vector<std::uint32_t> blocks_of(std::int64_t rank, std::int64_t chunk) const {
    return plan::blocks_of(graph_, stages_[static_cast<std::size_t>(shape_.stage_of(rank, chunk))]);
  }

  // Layers of each block of the graph that a rank holds.
  std::vector<std::int64_t> layers_of_rank(std::int64_t rank) const {
    std::vector<std::int64_t> counts(graph_.blocks.size());
    for (std::int64_t c = 0; c < shape_.chunks(); ++c) {
      for (const std::uint32_t b : blocks_of(rank, c)) ++counts[b];
    }
    return counts;
  }

  // The schedule over the passes, with the messages between them.
  void run_pipeline(std::int64_t fullest, StepEnds& ends, MeanWork& mean, double& events) {
    Exchanged message;
    if (p_.pp > 1) message = price_exchange(stage_messages(subject_, t_), prices_);
    ends.pipeline = play_pipeline(message.cost.makespan, trace_, events);
    if (p_.pp == 1) return;
    ends.for_messages = ends.pipeline - play_pipeline(Seconds(0), nullptr, events);
    ends.message_time = sends_of_rank(shape_, fullest).all() * message.cost.makespan;
    mean.add(message.cost, mean_sends(shape_));
  }

  Seconds play_pipeline(Seconds message, report::TraceWriter* trace, double& events) const {
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
    PipelineLog log(schedule, program);
    event::Facts<machine::PipelineFact> facts;
    if (trace) facts.attach(log);
    const machine::ReplicaResults replicas = machine::play_replicas(program, mode, slowdowns_of_ranks(t_), facts);
    if (trace) trace->add_ranks("stage", log.take());
    for (const machine::PipelineResult& replica : replicas.played) events += static_cast<double>(replica.events);
    return event::to_seconds(replicas.makespan());
  }

  // What data parallelism does once a step beside the passes. The first rank starts first and ends last: what it cannot
  // hide makes the step longer.
  void exchange_once(std::int64_t fullest, StepEnds& ends, MeanWork& mean) {
    const OnceAStep once = exchanges_once_a_step(p_, runtime_);
    if (!once.any()) return;
    for (std::int64_t rank = 0; rank < shape_.pp; ++rank) {
      const std::vector<std::int64_t> layers = layers_of_rank(rank);
      for (std::size_t b = 0; b < layers.size(); ++b) {
        const plan::Parameters own = plan::Parameters::of(graph_.blocks[b]);
        std::vector<work::Collective> all;
        if (once.gathers) all = plan::parameter_gathers(own, p_, subject_.precision.compute);
        if (once.reduces) {
          const auto reductions = plan::gradient_reductions(own, p_, runtime_.reduced_gradients);
          all.insert(all.end(), reductions.begin(), reductions.end());
        }
        const report::StepCost cost = price_exchange(all, prices_).cost;
        mean.add(cost, d(layers[b]) / d(shape_.pp));
        if (rank == fullest) ends.exchange_time += d(layers[b]) * cost.makespan;
      }
    }
    const plan::PassesBetween between = plan::passes_between_chunks(shape_);
    for (std::int64_t c = 0; c < shape_.chunks(); ++c) {
      if (once.gathers) ends.longer += longer(c, between.forwards, false);
      if (once.reduces) ends.longer += longer(c, between.backwards, true);
    }
  }

  // The first chunk's exchanges run layer by layer beside its first (or last) pass; those of another beside the passes
  // of the chunk before it, between that one's first and its own. Without any such pass they go as the first chunk's.
  Seconds longer(std::int64_t chunk, std::int64_t between, bool backward) {
    const plan::DataParallelWork all{.gathers_parameters = !backward, .reduces_gradients = backward};
    const auto alone = [&](std::int64_t c) {
      const ChunkTimes& times = chunk_of(0, c);
      return (backward ? times.backward : times.forward).makespan;
    };
    const std::int64_t free = chunk == 0 ? 0 : between - (chunk == 1 ? 1 : 0);
    if (free == 0) {
      const plan::ChunkShape own{.blocks = blocks_of(0, chunk), .backward = backward, .data_parallel = all};
      return play(backward ? "last backward" : "first forward", own).makespan - alone(chunk);
    }
    plan::ChunkShape hosts{.backward = backward, .data_parallel = all, .beside = blocks_of(0, chunk)};
    const std::vector<std::uint32_t> host = blocks_of(0, chunk - 1);
    for (std::int64_t pass = 0; pass < free; ++pass) hosts.blocks.insert(hosts.blocks.end(), host.begin(), host.end());
    return play(backward ? "last backwards" : "first forwards", hosts).makespan - d(free) * alone(chunk - 1);
  }

  // The end of the step on each rank; that of the fullest, for its operators.
  report::StepReport play_ends(std::int64_t fullest, StepEnds& ends, MeanWork& mean) {
    StepPlayer unseen(subject_.hardware, nullptr);
    std::vector<std::pair<plan::Parameters, report::StepReport>> played;
    std::size_t own = 0;
    for (std::int64_t rank = 0; rank < shape_.pp; ++rank) {
      const std::vector<std::int64_t> layers = layers_of_rank(rank);
      plan::Parameters held;
      for (std::size_t b = 0; b < layers.size(); ++b) held.add(plan::Parameters::of(graph_.blocks[b]), d(layers[b]));
      auto same = std::find_if(played.begin(), played.end(), [&](const auto& other) { return other.first == held; });
      if (same == played.end()) {
        StepPlayer& player = rank == 0 ? player_ : unseen;
        const machine::Program end = step_end_program(subject_, held, t_, runtime_);
        same = played.insert(played.end(), {held, player.play("step end", end, prices_, launch_)});
      }
      if (same->second.makespan > ends.end.makespan) ends.end = same->second;
      if (rank == fullest) own = static_cast<std::size_t>(same - played.begin());
      mean.add(same->second, 1 / d(shape_.pp));
    }
    return std::move(played[own].second);
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
