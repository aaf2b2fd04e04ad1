#include "models/predict/training_costs.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/functional/hash.hpp>
#include <unordered_map>
#include <utility>

#include "models/plan/pipeline_program.hpp"
#include "models/plan/pipeline_time.hpp"
#include "models/plan/training_states.hpp"
#include "models/predict/close_step.hpp"
#include "models/predict/rank_costs.hpp"

namespace mlosim::predict {
namespace {

// What a price depends on, as numbers.
template <std::size_t N>
using Key = std::array<std::int64_t, N>;
template <std::size_t N, class Value>
using Priced = std::unordered_map<Key<N>, Value, boost::hash<Key<N>>>;

std::int64_t bits(double value) { return std::bit_cast<std::int64_t>(value); }
template <class Enum>
std::int64_t number(Enum value) {
  return static_cast<std::int64_t>(value);
}

bool same(const graph::Recompute& a, const graph::Recompute& b) {
  return a.policy == b.policy && a.full_layers == b.full_layers && a.offload == b.offload && a.keep == b.keep;
}

}  // namespace

class TrainingCosts::Book {
 public:
  Book(const TrainingSubject& subject, const machine::PriceOptions& options)
      : subject_(subject), chip_(subject.hardware.system.chip), prices_(subject.hardware, options) {}

  TrainingEstimate estimate(const Training& t) {
    const plan::TrainingParallelism& p = t.parallelism;
    const spec::TrainingRuntime runtime = resolve_training_runtime(subject_, t);
    const plan::ScheduleShape shape = p.shape(t.micro_batches());
    RankCosts& rank = rank_costs(t, runtime);
    const StageTable& stages = rank.stages(shape.stages());

    TrainingEstimate e;
    const double micro_batches = micro_batches_of_step(t);
    e.model_flops = micro_batches * rank.flops().model;
    e.hardware_flops = micro_batches * rank.flops().hardware;
    set_passes(t, runtime, rank, stages);
    for (const std::uint32_t kind : stages.kind_of_stage) busy_.push_back(passes_[kind].busy());
    e.fullest = fullest_rank(shape, busy_);
    for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk) {
      const StagePasses& passes = passes_[stages.kind(shape.stage_of(e.fullest, chunk))];
      e.total.add(passes.forward, runs_of_chunk(shape));
      e.total.add(passes.backward, runs_of_chunk(shape));
    }
    StepEnds ends;
    ends.pipeline = pipeline_time(t, runtime, shape, stages) * slowest(t);
    ends.data_parallel = data_parallel_ends(t, runtime, rank, stages, stages.kind(shape.stage_of(0, 0)));
    ends.end = step_end(t, runtime, parameters_of_rank(rank, shape, stages));
    close_step(e.total, ends, t, chip_);
    e.capacity = training_capacity(chip_, runtime);
    e.memory = memory(t, runtime, rank, shape, stages);
    return e;
  }

  std::vector<report::OpTotal> operators(const Training& t, std::int64_t fullest) {
    const spec::TrainingRuntime runtime = resolve_training_runtime(subject_, t);
    const plan::ScheduleShape shape = t.parallelism.shape(t.micro_batches());
    RankCosts& rank = rank_costs(t, runtime);
    const StageTable& stages = rank.stages(shape.stages());
    std::vector<std::int64_t> counts(rank.graph().blocks.size());
    for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk) {
      const StageKind& stage = stages.kinds[stages.kind(shape.stage_of(fullest, chunk))];
      for (std::size_t b = 0; b < counts.size(); ++b) counts[b] += stage.counts[b];
    }
    const plan::TrainingParallelism& p = t.parallelism;
    report::StepReport step;
    for (const bool backward : {false, true}) {
      const plan::DataParallelWork beside{.gathers_parameters = p.gathers_in_layers(),
                                          .reduces_gradients = backward && p.reduces_in_layers()};
      for (std::uint32_t b = 0; b < counts.size(); ++b) {
        if (counts[b] == 0) continue;
        const machine::Program program = chunk_program(
            subject_, rank.graph(), {.blocks = {b}, .backward = backward, .data_parallel = beside}, t, runtime);
        step.add(serial(program, runtime), static_cast<double>(counts[b]) * runs_of_chunk(shape));
      }
    }
    const plan::Parameters own = parameters_of_rank(rank, shape, stages);
    step.add(serial(step_end_program(subject_, own, t, runtime), runtime), 1);
    return std::move(step.ops);
  }

 private:
  report::StepReport serial(const machine::Program& program, const spec::TrainingRuntime& runtime) {
    return report::serial_report(program, prices_, training_launch(chip_, runtime), chip_.power.static_power()).step;
  }

  std::int64_t number_of(const graph::Recompute& recompute) {
    const auto known = std::find_if(recomputes_.begin(), recomputes_.end(),
                                    [&](const graph::Recompute& other) { return same(recompute, other); });
    if (known != recomputes_.end()) return known - recomputes_.begin();
    recomputes_.push_back(recompute);
    return static_cast<std::int64_t>(recomputes_.size()) - 1;
  }

  RankCosts& rank_costs(const Training& t, const spec::TrainingRuntime& runtime) {
    const plan::TrainingParallelism& p = t.parallelism;
    const bool parts = parts_gradients(p);
    const Key<10> key{t.micro_batch,
                      t.sequence,
                      p.tp,
                      p.cp,
                      p.ep,
                      p.moe_tp,
                      p.sp ? 1 : 0,
                      number_of(t.recompute),
                      bits(runtime.tp_exposed),
                      parts ? 1 : 0};
    const auto known = ranks_.find(key);
    if (known != ranks_.end()) return known->second;
    return ranks_.emplace(key, RankCosts(subject_, t, runtime, prices_, parts)).first->second;
  }

  // What each kind of stage takes, with the data-parallel collectives that run beside every micro-batch.
  void set_passes(const Training& t, const spec::TrainingRuntime& runtime, const RankCosts& rank,
                  const StageTable& stages) {
    const plan::TrainingParallelism& p = t.parallelism;
    busy_.clear();
    passes_ = stages.passes;
    if (p.replicas() == 1 || !p.reduces_in_layers()) return;
    const BesidePass beside{.exchanges = &exchanges(t, runtime, rank),
                            .gathers = p.gathers_in_layers(),
                            .reduces = true,
                            .exposed = runtime.dp_exposed};
    BesidePass forwards = beside, weights = beside;
    forwards.reduces = weights.gathers = false;
    for (std::size_t k = 0; k < passes_.size(); ++k) {
      const StageKind& kind = stages.kinds[k];
      if (forwards.gathers) passes_[k].forward = rank.pass(kind, &BlockCosts::forward, forwards);
      passes_[k].backward = rank.pass(kind, &BlockCosts::backward, beside);
      if (parts_gradients(p))
        passes_[k].weight_gradient = rank.pass(kind, &BlockCosts::weight_gradient, weights).makespan;
    }
  }

  // To the next stage, and alike to the one before.
  Seconds message_time(const Training& t) {
    const plan::TrainingParallelism& p = t.parallelism;
    if (p.pp == 1) return Seconds(0);
    const Key<7> key{t.micro_batch, t.sequence, p.tp, p.cp, p.pp, p.pp_stride(), p.dp};
    const auto known = messages_.find(key);
    if (known != messages_.end()) return known->second;
    return messages_.emplace(key, prices_.price(stage_message(subject_, t)).time).first->second;
  }

  Seconds pipeline_time(const Training& t, const spec::TrainingRuntime& runtime, const plan::ScheduleShape& shape,
                        const StageTable& stages) {
    const Seconds message = message_time(t);
    times_.clear();
    const bool parts = parts_gradients(t.parallelism);
    for (const std::uint32_t kind : stages.kind_of_stage) {
      const StagePasses& passes = passes_[kind];
      times_.push_back({.forward = passes.forward.makespan,
                        .input_gradient = parts ? passes.input_gradient : passes.backward.makespan,
                        .weight_gradient = parts ? passes.weight_gradient : Seconds(0),
                        .send_activation = message,
                        .send_gradient = message});
    }
    return plan::estimate_pipeline(shape, times_,
                                   runtime.overlaps_p2p ? machine::SendMode::overlapped : machine::SendMode::blocking);
  }

  static double slowest(const Training& t) {
    if (t.reality.slow_ranks.are_equal()) return 1;
    const std::vector<double> slowdowns = slowdowns_of_ranks(t);
    return *std::max_element(slowdowns.begin(), slowdowns.end());
  }

  const std::vector<BlockExchange>& exchanges(const Training& t, const spec::TrainingRuntime& runtime,
                                              const RankCosts& rank) {
    const plan::TrainingParallelism& p = t.parallelism;
    const Key<12> key{t.micro_batch,
                      t.sequence,
                      p.tp,
                      p.cp,
                      p.dp,
                      p.ep,
                      p.moe_tp,
                      p.sp ? 1 : 0,
                      number(p.zero),
                      p.hsdp_shard,
                      number_of(t.recompute),
                      bits(runtime.tp_exposed)};
    const auto known = exchanges_.find(key);
    if (known != exchanges_.end()) return known->second;
    return exchanges_.emplace(key, rank.exchanges(p, subject_.precision.compute, runtime.reduced_gradients, prices_))
        .first->second;
  }

  DataParallelEnds data_parallel_ends(const Training& t, const spec::TrainingRuntime& runtime, const RankCosts& rank,
                                      const StageTable& stages, std::size_t first) {
    const plan::TrainingParallelism& p = t.parallelism;
    DataParallelEnds ends;
    const bool gathers = plan::gathers_at_start(p, runtime);
    const bool reduces = runtime.overlaps_grad_reduce && !p.reduces_in_layers();
    if (p.replicas() == 1 || (!gathers && !reduces)) return ends;
    BesidePass beside{.exchanges = &exchanges(t, runtime, rank), .exposed = runtime.dp_exposed};
    if (gathers) {
      beside.gathers = true;
      ends.add(rank.pass(stages.kinds[first], &BlockCosts::forward, beside), passes_[first].forward);
    }
    if (reduces) {
      beside.gathers = false;
      beside.reduces = true;
      ends.add(rank.pass(stages.kinds[first], &BlockCosts::backward, beside), passes_[first].backward);
    }
    return ends;
  }

  // Of the first pipeline rank.
  static plan::Parameters parameters_of_rank(const RankCosts& rank, const plan::ScheduleShape& shape,
                                             const StageTable& stages) {
    plan::Parameters own;
    for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk) {
      const StageKind& stage = stages.kinds[stages.kind(shape.stage_of(0, chunk))];
      for (std::size_t b = 0; b < stage.counts.size(); ++b)
        own.add(rank.parameters()[b], static_cast<double>(stage.counts[b]));
    }
    return own;
  }

  const report::StepCost& step_end(const Training& t, const spec::TrainingRuntime& runtime,
                                   const plan::Parameters& own) {
    const plan::TrainingParallelism& p = t.parallelism;
    const Key<16> key{bits(own.dense),
                      bits(own.experts),
                      bits(own.repeated),
                      p.tp,
                      p.cp,
                      p.dp,
                      p.pp,
                      p.ep,
                      p.moe_tp,
                      p.sp ? 1 : 0,
                      number(p.zero),
                      p.hsdp_shard,
                      runtime.overlaps_grad_reduce ? 1 : 0,
                      runtime.overlaps_param_gather ? 1 : 0,
                      number(t.optimizer),
                      number(t.moments)};
    const auto known = ends_.find(key);
    if (known != ends_.end()) return known->second;
    return ends_.emplace(key, serial(step_end_program(subject_, own, t, runtime), runtime)).first->second;
  }

  plan::StageMemory memory(const Training& t, const spec::TrainingRuntime& runtime, const RankCosts& rank,
                           const plan::ScheduleShape& shape, const StageTable& stages) {
    const plan::StageSetting setting = stage_setting(subject_, t, runtime);
    const std::vector<plan::InFlight> in_flight = plan::peak_in_flight(shape);
    plan::StageMemory peak;
    share_.counts.resize(rank.memory().size());
    for (std::int64_t r = 0; r < shape.pp; ++r) {
      std::fill(share_.counts.begin(), share_.counts.end(), 0);
      for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk) {
        const StageKind& stage = stages.kinds[stages.kind(shape.stage_of(r, chunk))];
        for (std::size_t b = 0; b < stage.counts.size(); ++b) share_.counts[b] += stage.counts[b];
      }
      const plan::InFlight& own_chunks = in_flight[static_cast<std::size_t>(r)];
      share_.in_flight = static_cast<double>(own_chunks.held) / static_cast<double>(shape.chunks());
      share_.put_off = static_cast<double>(own_chunks.put_off) / static_cast<double>(shape.chunks());
      const plan::StageMemory own = plan::stage_memory(rank.memory(), share_, t.parallelism, setting);
      if (own.total() > peak.total()) peak = own;
    }
    return peak;
  }

  const TrainingSubject subject_;
  const spec::ChipSpec& chip_;
  machine::PriceBook prices_;
  std::vector<graph::Recompute> recomputes_;
  Priced<10, RankCosts> ranks_;
  Priced<12, std::vector<BlockExchange>> exchanges_;
  Priced<16, report::StepCost> ends_;
  Priced<7, Seconds> messages_;
  // Scratch of one estimate.
  std::vector<StagePasses> passes_;  // of each kind of stage
  std::vector<Seconds> busy_;        // of each stage
  std::vector<plan::StageTimes> times_;
  plan::StageShare share_;
};

TrainingCosts::TrainingCosts(const TrainingSubject& subject, const machine::PriceOptions& options)
    : book_(std::make_unique<Book>(subject, options)) {}

TrainingCosts::~TrainingCosts() = default;

TrainingEstimate TrainingCosts::estimate(const Training& training) { return book_->estimate(training); }

std::vector<report::OpTotal> TrainingCosts::operators(const Training& training, std::int64_t fullest) {
  return book_->operators(training, fullest);
}

}  // namespace mlosim::predict
