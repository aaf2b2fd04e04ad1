#include "models/predict/evaluate_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "models/graph/training_graph.hpp"
#include "models/plan/pipeline_program.hpp"
#include "models/plan/pipeline_time.hpp"
#include "models/plan/training_chunk.hpp"
#include "models/plan/training_states.hpp"
#include "models/predict/pipeline_log.hpp"
#include "models/predict/plan_training.hpp"
#include "models/predict/step_player.hpp"
#include "sim/machine/play_pipeline.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {
namespace {

using graph::Pass;
using plan::ScheduleKind;
using plan::ZeroStage;
using work::DType;

double d(std::int64_t n) { return static_cast<double>(n); }

// A virtual stage's passes: of a micro-batch in the middle of the step, and what is longer at its ends.
struct ChunkTimes {
  report::StepReport forward, backward;
  report::StepReport input_gradient, weight_gradient;  // of schedules that part them
  Seconds first_forward, last_backward;                // with the data-parallel work of the step's ends
};

class TrainingRun {
 public:
  TrainingRun(const Workload& workload, const graph::Precision& precision, const spec::Hardware& hardware,
              const EvaluateOptions& options)
      : t_(*workload.training),
        p_(t_.parallelism),
        model_(*workload.model),
        precision_(precision),
        hardware_(hardware),
        runtime_(resolve_training_runtime(hardware, t_, workload.precision)),
        shape_{.micro_batch = t_.micro_batch, .sequence = t_.sequence, .cp = p_.cp},
        graph_(graph::build_training_graph(model_, shape_, precision_, graph_options(t_, hardware_.runtime, runtime_))),
        launch_(hardware.system.chip.launch),
        prices_(hardware,
                price_options(
                    options, {.between_uses = hardware.system.chip.usable_memory / 2, .rotates_weights = false}, true)),
        player_(hardware, options.trace),
        options_(options) {
    launch_.submit = runtime_.submit;
    launch_.stream = std::max(launch_.stream, launch_.graph);
  }

  Evaluation run() {
    Evaluation e;
    e.chips = p_.chips();
    e.tokens = d(t_.global_batch) * d(t_.sequence);
    price_chunks();
    add_pipeline(e);
    add_step_ends(e);
    add_reality(e);
    count_flops(e);
    e.memory = plan_memory(model_, precision_, t_, hardware_, runtime_);
    e.peak_time = time_at_peak(e.model_flops, precision_, hardware_.system.chip, e.chips);
    return e;
  }

 private:
  static spec::TrainingRuntime resolve_training_runtime(const spec::Hardware& hardware, const Training& t,
                                                        const PrecisionChoice& precision) {
    MLOSIM_CHECK(hardware.runtime.training.has_value());  // chosen so (read_setting)
    spec::TrainingRuntime r = *hardware.runtime.training;
    r.fused_attention = hardware.runtime.fused_attention;
    r.overlaps_grad_reduce = t.overlap.grad_reduce.value_or(r.overlaps_grad_reduce);
    r.overlaps_param_gather = t.overlap.param_gather.value_or(r.overlaps_param_gather);
    if (t.overlap.tp && !*t.overlap.tp) r.tp_exposed = 1;
    r.reduced_gradients = precision.gradients.value_or(r.reduced_gradients);
    return r;
  }

  // Gathering parameters layer by layer is FSDP's; beside a pipeline they are gathered once a step.
  bool gathers_in_layers() const { return p_.zero == ZeroStage::parameters && p_.pp == 1; }

  report::StepReport play(const std::string& phase, const plan::ChunkShape& chunk) {
    machine::Program program =
        plan::plan_training_chunk(graph_, chunk, p_, precision_, runtime_, hardware_.system.fabric.chips);
    program.launch = runtime_.host == spec::TrainingHost::ahead ? spec::LaunchPath::eager : spec::LaunchPath::graph;
    program.host_in_step = runtime_.host == spec::TrainingHost::in_step;
    return player_.play(phase, program, prices_, launch_);
  }

  void price_chunks() {
    stages_ = plan::deal_layers(graph_, schedule_shape().stages());
    for (const std::vector<std::uint32_t>& blocks : stages_) {
      if (!chunks_.contains(blocks)) chunks_.emplace(blocks, price_chunk(blocks));
    }
  }

  plan::ScheduleShape schedule_shape() const { return p_.shape(t_.micro_batches()); }

  bool parts_gradients() const {
    return p_.schedule == ScheduleKind::zero_bubble || p_.schedule == ScheduleKind::dualpipe;
  }

  ChunkTimes price_chunk(const std::vector<std::uint32_t>& blocks) {
    const plan::DataParallelWork always{.gathers_parameters = gathers_in_layers(),
                                        .reduces_gradients = gathers_in_layers()};
    const plan::DataParallelWork first{.gathers_parameters = gathers_in_layers() || gathers_at_start()};
    const plan::DataParallelWork last{.gathers_parameters = gathers_in_layers(),
                                      .reduces_gradients = gathers_in_layers() || runtime_.overlaps_grad_reduce};
    ChunkTimes times;
    times.forward = play("forward", {.blocks = blocks, .data_parallel = {.gathers_parameters = gathers_in_layers()}});
    times.backward = play("backward", {.blocks = blocks, .backward = true, .data_parallel = always});
    wait_for_host(blocks, times.forward);
    wait_for_host(blocks, times.backward);
    times.first_forward = times.forward.makespan;
    times.last_backward = times.backward.makespan;
    if (!gathers_in_layers() && first.gathers_parameters)
      times.first_forward = play("first forward", {.blocks = blocks, .data_parallel = first}).makespan;
    if (!gathers_in_layers() && last.reduces_gradients)
      times.last_backward = play("last backward", {.blocks = blocks, .backward = true, .data_parallel = last}).makespan;
    if (parts_gradients()) {
      times.input_gradient = play("input gradients", {.blocks = blocks, .backward = true, .weight_gradients = false});
      times.weight_gradient = play("weight gradients", {.blocks = blocks, .backward = true, .input_gradients = false});
    }
    return times;
  }

  // What is offloaded goes to the host beside the forward pass and comes back beside the backward pass.
  void wait_for_host(const std::vector<std::uint32_t>& blocks, report::StepReport& pass) const {
    Bytes offloaded;
    for (const std::uint32_t b : blocks) {
      for (const graph::KeptTensor& tensor : graph_.blocks[b].kept)
        if (tensor.offloaded) offloaded += tensor.of_rank(p_.tp, p_.sp, p_.moe_tp);
    }
    const Seconds longer = offloaded / hardware_.system.chip.host_link - pass.makespan;
    if (longer > Seconds(0)) add_wait(pass, longer, pass.breakdown.communication_exposed, chip::Resource::host);
  }

  bool gathers_at_start() const { return p_.zero != ZeroStage::none && runtime_.overlaps_param_gather; }

  const ChunkTimes& chunk_of(std::int64_t rank, std::int64_t chunk) const {
    return chunks_.at(stages_[static_cast<std::size_t>(schedule_shape().stage_of(rank, chunk))]);
  }

  void add_pipeline(Evaluation& e) {
    const plan::ScheduleShape shape = schedule_shape();
    const Seconds message = message_time();
    std::vector<plan::StageTimes> times;
    for (const std::vector<std::uint32_t>& blocks : stages_) {
      const ChunkTimes& chunk = chunks_.at(blocks);
      const Seconds weight = chunk.weight_gradient.makespan;
      times.push_back({.forward = chunk.forward.makespan,
                       .input_gradient = parts_gradients() ? chunk.input_gradient.makespan : chunk.backward.makespan,
                       .weight_gradient = weight,
                       .send_activation = message,
                       .send_gradient = message});
    }
    const machine::SendMode mode = runtime_.overlaps_p2p ? machine::SendMode::overlapped : machine::SendMode::blocking;
    Seconds pipeline;
    if (options_.fidelity == chip::Fidelity::event) {
      const plan::Schedule schedule = plan::make_schedule(shape);
      const machine::Pipeline program = plan::build_pipeline(schedule, times, !runtime_.overlaps_p2p);
      PipelineLog log(schedule, program);
      event::Facts<machine::PipelineFact> facts;
      if (options_.trace) facts.attach(log);
      const std::vector<double> slowdowns = slowdowns_of_ranks();
      const machine::ReplicaResults replicas = machine::play_replicas(program, mode, slowdowns);
      pipeline = event::to_seconds(replicas.makespan());
      for (const machine::PipelineResult& replica : replicas.played)
        e.total.events += static_cast<double>(replica.events);
      if (options_.trace) {
        machine::play_pipeline(program, mode, std::span(slowdowns).first(program.ranks()), facts);
        options_.trace->add_ranks("stage", log.take());
      }
    } else {
      const std::vector<double> slowdowns = slowdowns_of_ranks();
      pipeline = plan::estimate_pipeline(shape, times, mode) * *std::max_element(slowdowns.begin(), slowdowns.end());
    }
    add_fullest_rank(e.total, pipeline, shape);
  }

  // Of each pipeline rank of each replica; of one replica where all are alike.
  std::vector<double> slowdowns_of_ranks() const {
    const plan::SlowRanks& slow = t_.reality.slow_ranks;
    if (slow.are_equal()) return std::vector<double>(static_cast<std::size_t>(p_.pp), 1.0);
    return plan::slowest_in_lockstep(plan::draw_slowdowns(slow, p_.chips()),
                                     {.lockstep = p_.tp * p_.cp, .replicas = p_.dp, .pipeline = p_.pp});
  }

  // What a step waits for its slowest rank, and what failures leave of the run.
  void add_reality(Evaluation& e) const {
    const plan::Reality& reality = t_.reality;
    if (reality.jitter) {
      const double longer = plan::expected_jitter(reality.jitter->deviation, p_.chips());
      add_wait(e.total, e.total.makespan * (longer - 1), e.total.breakdown.bubble, chip::Resource::pipeline);
    }
    if (!reality.failures && !reality.checkpoints) return;
    // Parameters, master copies and both moments.
    const Bytes state =
        graph::count_parameters(model_).total() *
        (work::bytes_per_element(precision_.compute) + (t_.optimizer == Optimizer::adam ? 3 : 1) * Bytes(4));
    e.goodput = plan::estimate_goodput(reality.failures, reality.checkpoints, p_.chips(), state);
  }

  // One rank's work with its waiting: of the one that has most to do.
  void add_fullest_rank(report::StepReport& total, Seconds pipeline, const plan::ScheduleShape& shape) {
    std::int64_t fullest = 0;
    Seconds most(-1);
    for (std::int64_t r = 0; r < shape.pp; ++r) {
      Seconds busy;
      for (std::int64_t c = 0; c < shape.chunks(); ++c)
        busy += chunk_of(r, c).forward.makespan + chunk_of(r, c).backward.makespan;
      if (busy <= most) continue;
      most = busy;
      fullest = r;
    }
    const double each = d(shape.micro_batches) * (shape.kind == ScheduleKind::dualpipe ? 0.5 : 1);
    const double events = total.events;
    for (std::int64_t c = 0; c < shape.chunks(); ++c) {
      total.add(chunk_of(fullest, c).forward, each);
      total.add(chunk_of(fullest, c).backward, each);
    }
    total.events += events;
    const Seconds bubble = std::max(Seconds(0), pipeline - total.makespan);
    add_wait(total, bubble, total.breakdown.bubble, chip::Resource::pipeline);
    // The step's ends: what data parallelism adds to the first forward and the last backward pass of the first stage.
    const ChunkTimes& first = chunk_of(0, 0);
    add_wait(total, first.first_forward - first.forward.makespan + first.last_backward - first.backward.makespan,
             total.breakdown.communication_exposed, chip::Resource::link_bandwidth);
  }

  void add_wait(report::StepReport& total, Seconds time, Seconds& part, chip::Resource resource) const {
    total.makespan += time;
    part += time;
    if (&part == &total.breakdown.communication_exposed) total.communication_total += time;
    total.by_resource[static_cast<std::size_t>(resource)] += time;
    total.energy += time * hardware_.system.chip.power.static_power();
  }

  // To the next stage, and alike to the one before.
  Seconds message_time() {
    if (p_.pp == 1) return Seconds(0);
    const Bytes bytes = plan::boundary_bytes(model_, shape_, p_, precision_.compute);
    return prices_
        .price(work::Collective{.kind = work::CollectiveKind::p2p,
                                .bytes = bytes,
                                .ranks = p_.pp,
                                .dtype = precision_.compute,
                                .stride = p_.pp_stride()})
        .time;
  }

  // What comes once a step, one after the other: reductions and gathers that nothing hides, then the optimiser.
  void add_step_ends(Evaluation& e) {
    const std::vector<std::uint32_t> blocks = blocks_of_rank(0);
    machine::Program ends;
    ends.streams = {{"compute", machine::StreamKind::compute}, {"data parallel", machine::StreamKind::communication}};
    const auto append = [&](const std::string& name, work::Operator op, std::uint32_t stream) {
      std::vector<std::uint32_t> after;
      if (!ends.tasks.empty()) after.push_back(static_cast<std::uint32_t>(ends.tasks.size() - 1));
      ends.tasks.push_back({.op = static_cast<std::uint32_t>(ends.ops.size()), .stream = stream, .after = after});
      ends.ops.push_back({name, std::move(op)});
    };
    plan::Parameters own;
    for (const std::uint32_t b : blocks) {
      own.dense += graph_.blocks[b].parameters;
      own.experts += graph_.blocks[b].expert_parameters;
    }
    if (!gathers_in_layers() && !runtime_.overlaps_grad_reduce) {
      for (const work::Collective& op : plan::gradient_reductions(own, p_, runtime_.reduced_gradients))
        append("gradients.reduce", op, 1);
    }
    if (model_.tied_embeddings && p_.pp > 1) append("embedding.gradients.reduce", tied_embedding_reduction(), 1);
    for (const work::Elementwise& op : plan::optimizer_passes(own, p_, precision_.compute, t_.optimizer, t_.moments))
      append("optimizer", op, 0);
    if (!gathers_in_layers() && p_.zero != ZeroStage::none && !gathers_at_start()) {
      for (const work::Collective& op : plan::parameter_gathers(own, p_, precision_.compute))
        append("parameters.gather", op, 1);
    }
    ends.launch = spec::LaunchPath::graph;
    ends.lead_time = runtime_.step_overhead;
    report::StepReport report = player_.play("step end", ends, prices_, launch_);
    report.breakdown.optimizer = report.breakdown.compute + report.breakdown.memory;
    report.breakdown.compute = report.breakdown.memory = Seconds(0);
    e.total.add(report, 1);
  }

  // First and last stage hold the same table: they add their gradients.
  work::Collective tied_embedding_reduction() const {
    return {
        .kind = work::CollectiveKind::all_reduce,
        .bytes = d(model_.vocab) * d(model_.hidden) / d(p_.tp) * work::bytes_per_element(runtime_.reduced_gradients),
        .ranks = 2,
        .dtype = runtime_.reduced_gradients,
        .stride = p_.pp_stride() * (p_.pp - 1)};
  }

  std::vector<std::uint32_t> blocks_of_rank(std::int64_t rank) const {
    std::vector<std::uint32_t> blocks;
    const plan::ScheduleShape shape = schedule_shape();
    for (std::int64_t c = 0; c < shape.chunks(); ++c) {
      const auto& stage = stages_[static_cast<std::size_t>(shape.stage_of(rank, c))];
      blocks.insert(blocks.end(), stage.begin(), stage.end());
    }
    return blocks;
  }

  // Of one micro-batch and replica, whole; recomputation counts for the hardware alone.
  void count_flops(Evaluation& e) const {
    Flops model, hardware;
    for (const graph::TrainingBlock& block : graph_.blocks) {
      const double layers = block.is_layer() ? d(static_cast<std::int64_t>(block.layers.size())) : 1;
      for (const auto* nodes : {&block.forward, &block.backward}) {
        for (const graph::TrainingNode& node : *nodes) {
          const Flops flops = layers * model_flops_of(node.node.op);
          hardware += layers * work::work_of(node.node.op).matrix;
          if (node.pass != Pass::recompute) model += flops;
        }
      }
    }
    const double times = d(t_.global_batch) / d(t_.micro_batch) * d(p_.cp);
    e.model_flops = times * model;
    e.hardware_flops = times * hardware;
  }

  // The backward pass of attention computes its scores again: that is the hardware's work, not the model's.
  static Flops model_flops_of(const work::Operator& op) {
    const auto twice_forward = [](auto attention) {
      attention.backward = false;
      return 2 * work::work_of(attention).matrix;
    };
    if (const auto* flash = std::get_if<work::AttentionPrefill>(&op); flash && flash->backward)
      return twice_forward(*flash);
    if (const auto* latent = std::get_if<work::MlaPrefill>(&op); latent && latent->backward)
      return twice_forward(*latent);
    return work::work_of(op).matrix;
  }

  const Training& t_;
  const plan::TrainingParallelism& p_;
  const graph::ModelSpec& model_;
  const graph::Precision& precision_;
  const spec::Hardware& hardware_;
  spec::TrainingRuntime runtime_;
  graph::TrainingShape shape_;
  graph::TrainingGraph graph_;
  spec::LaunchSpec launch_;
  machine::PriceBook prices_;
  StepPlayer player_;
  const EvaluateOptions& options_;
  std::vector<std::vector<std::uint32_t>> stages_;           // blocks of each virtual stage
  std::map<std::vector<std::uint32_t>, ChunkTimes> chunks_;  // by the blocks that they hold
};

}  // namespace

Evaluation evaluate_training(const Workload& workload, const graph::Precision& precision,
                             const spec::Hardware& hardware, const EvaluateOptions& options) {
  return TrainingRun(workload, precision, hardware, options).run();
}

}  // namespace mlosim::predict
