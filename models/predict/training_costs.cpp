#include "models/predict/training_costs.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/functional/hash.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "models/plan/training_states.hpp"
#include "models/predict/close_step.hpp"
#include "models/predict/rank_costs.hpp"
#include "models/predict/step_traffic.hpp"

namespace mlosim::predict {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

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

// How a layer is cut over the chips of a stage.
Key<5> cut_of(const plan::TrainingParallelism& p) { return {p.tp, p.cp, p.ep, p.moe_tp, p.sp ? 1 : 0}; }

template <std::size_t M, std::size_t N>
Key<M + N> join(const Key<M>& a, const Key<N>& b) {
  Key<M + N> both;
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), both.begin()));
  return both;
}

bool same(const graph::Recompute& a, const graph::Recompute& b) {
  return a.policy == b.policy && a.full_layers == b.full_layers && a.offload == b.offload && a.keep == b.keep;
}

}  // namespace

class TrainingCosts::Book {
 public:
  Book(const TrainingSubject& subject, const machine::PriceOptions& options)
      : subject_(subject), chip_(subject.hardware.system.chip), prices_(std::in_place, subject.hardware, options) {}

  void renew_prices(const machine::PriceOptions& options) {
    prices_.emplace(subject_.hardware, options);
    forget_costs();
  }

  void renew_network_prices() {
    prices_->forget_collectives();
    forget_costs();
  }

  bool fits(const Training& t) {
    const spec::TrainingRuntime runtime = resolve_training_runtime(subject_, t);
    const plan::ScheduleShape shape = t.parallelism.shape(t.micro_batches());
    RankPlan& plan = rank_at(t, runtime).plan;
    return memory({t, runtime, shape, plan, plan.stages(shape.stages())}).total() <= training_capacity(chip_, runtime);
  }

  TrainingEstimate estimate(const Training& t) {
    const spec::TrainingRuntime runtime = resolve_training_runtime(subject_, t);
    const plan::ScheduleShape shape = t.parallelism.shape(t.micro_batches());
    Rank& known = rank_at(t, runtime);
    RankCosts& rank = costs_of(known, runtime);
    const StageTable& stages = known.plan.stages(shape.stages());

    TrainingEstimate e;
    const double micro_batches = micro_batches_of_step(t);
    e.model_flops = micro_batches * known.plan.flops().model;
    e.hardware_flops = micro_batches * known.plan.flops().hardware;
    const Laid laid{t, runtime, shape, known.plan, stages};
    MeanWork mean;
    mean.add(set_passes(laid, rank), d(shape.micro_batches) / d(shape.pp));
    for (const std::uint32_t kind : stages.kind_of_stage) busy_.push_back(passes_[kind].busy());
    e.fullest = fullest_rank(shape, busy_);
    for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk) {
      const StagePasses& passes = passes_[stages.kind(shape.stage_of(e.fullest, chunk))];
      e.total.add(passes.forward, runs_of_chunk(shape));
      e.total.add(passes.backward, runs_of_chunk(shape));
    }
    StepEnds ends;
    run_pipeline(laid, rank, e, ends, mean);
    exchange_once(laid, rank, e.fullest, ends, mean);
    const RankEnds& end = step_end(laid);
    ends.end = end.slowest;
    mean.add(end.mean, 1);
    close_step(e.total, ends, mean, t, chip_);
    e.capacity = training_capacity(chip_, runtime);
    e.memory = memory(laid);
    return e;
  }

  std::vector<report::OpTotal> operators(const Training& t, std::int64_t fullest) {
    const spec::TrainingRuntime runtime = resolve_training_runtime(subject_, t);
    const plan::ScheduleShape shape = t.parallelism.shape(t.micro_batches());
    RankPlan& plan = rank_at(t, runtime).plan;
    std::vector<std::int64_t> counts;
    count_layers({t, runtime, shape, plan, plan.stages(shape.stages())}, fullest, counts);
    const plan::TrainingParallelism& p = t.parallelism;
    report::StepReport step;
    for (const bool backward : {false, true}) {
      const plan::DataParallelWork beside{.gathers_parameters = p.gathers_in_layers(),
                                          .reduces_gradients = backward && p.reduces_in_layers()};
      for (std::uint32_t b = 0; b < counts.size(); ++b) {
        if (counts[b] == 0) continue;
        const machine::Program program = chunk_program(
            subject_, plan.graph(), {.blocks = {b}, .backward = backward, .data_parallel = beside}, t, runtime);
        step.add(serial(program, runtime), d(counts[b]) * runs_of_chunk(shape));
      }
    }
    report::StepReport traffic;
    traffic.ops = traffic_operators(subject_, plan.graph(), t, {.rank = fullest, .counts = counts}, *prices_);
    step.add(traffic, 1);
    step.add(serial(step_end_program(subject_, parameters_of(plan, counts), t, runtime), runtime), 1);
    return std::move(step.ops);
  }

 private:
  // A way in which ranks cut layers.
  struct Rank {
    RankPlan plan;
    std::optional<RankCosts> costs;  // none where nothing has been asked for at these prices
  };

  // A layout with what is planned of it.
  struct Laid {
    const Training& training;
    const spec::TrainingRuntime& runtime;
    const plan::ScheduleShape& shape;
    const RankPlan& plan;
    const StageTable& stages;
  };

  // Of the ends of a step.
  struct RankEnds {
    report::StepCost slowest;
    MeanWork mean;
  };

  void forget_costs() {
    for (auto& [key, rank] : ranks_) rank.costs.reset();
    ends_.clear();
  }

  report::StepReport serial(const machine::Program& program, const spec::TrainingRuntime& runtime) {
    return report::serial_report(program, *prices_, training_launch(chip_, runtime), chip_.power.static_power());
  }

  std::int64_t number_of(const graph::Recompute& recompute) {
    const auto known = std::find_if(recomputes_.begin(), recomputes_.end(),
                                    [&](const graph::Recompute& other) { return same(recompute, other); });
    if (known != recomputes_.end()) return known - recomputes_.begin();
    recomputes_.push_back(recompute);
    return static_cast<std::int64_t>(recomputes_.size()) - 1;
  }

  Rank& rank_at(const Training& t, const spec::TrainingRuntime& runtime) {
    const plan::TrainingParallelism& p = t.parallelism;
    const bool parts = parts_gradients(p);
    const Key<11> key =
        join(cut_of(p), Key<6>{t.micro_batch, t.sequence, number_of(t.recompute), bits(runtime.tp_exposed),
                               bits(runtime.regather_exposed), parts ? 1 : 0});
    const auto known = ranks_.find(key);
    if (known != ranks_.end()) return known->second;
    return ranks_.emplace(key, Rank{.plan = RankPlan(subject_, t, runtime, parts), .costs = {}}).first->second;
  }

  RankCosts& costs_of(Rank& rank, const spec::TrainingRuntime& runtime) {
    if (!rank.costs) rank.costs.emplace(rank.plan, training_launch(chip_, runtime), *prices_);
    return *rank.costs;
  }

  // What each kind of stage takes, with the data-parallel collectives that run beside every micro-batch; the work of
  // all stages.
  MeanWork set_passes(const Laid& laid, RankCosts& rank) {
    const plan::TrainingParallelism& p = laid.training.parallelism;
    const StageTable& stages = laid.stages;
    busy_.clear();
    const StageCosts& alone = rank.stages(stages);
    passes_ = alone.passes;
    if (!p.reduces_in_layers()) return alone.work;
    const BesidePass beside{.exchanges = &exchanges(laid, rank),
                            .gathers = p.gathers_in_layers(),
                            .reduces = true,
                            .exposed = plan::exposed_shares(laid.runtime)};
    BesidePass forwards = beside, weights = beside;
    forwards.reduces = weights.gathers = false;
    for (std::size_t k = 0; k < passes_.size(); ++k) {
      const StageKind& kind = stages.kinds[k];
      if (forwards.gathers) passes_[k].forward = rank.pass(kind, &BlockCosts::forward, forwards);
      passes_[k].backward = rank.pass(kind, &BlockCosts::backward, beside);
      if (parts_gradients(p))
        passes_[k].weight_gradient = rank.pass(kind, &BlockCosts::weight_gradient, weights).makespan;
    }
    MeanWork work;
    for (const std::uint32_t kind : stages.kind_of_stage) {
      work.add(passes_[kind].forward, 1);
      work.add(passes_[kind].backward, 1);
    }
    return work;
  }

  // The schedule over the passes, with the messages between them.
  void run_pipeline(const Laid& laid, RankCosts& rank, const TrainingEstimate& e, StepEnds& ends, MeanWork& mean) {
    const Training& t = laid.training;
    const double slowest = slowest_of_ranks(t);
    if (t.parallelism.pp == 1) {
      ends.pipeline = time_alone(laid, e) * slowest;
      return;
    }
    const report::StepCost& message = rank.message(subject_, t, *prices_);
    const PipelineTimes& times = rank.pipeline(
        laid.shape, laid.stages,
        {.each = message.makespan,
         .mode = laid.runtime.overlaps_p2p ? machine::SendMode::overlapped : machine::SendMode::blocking});
    ends.pipeline = times.with_messages * slowest;
    ends.for_messages = ends.pipeline - times.without * slowest;
    ends.message_time = sends_of_rank(laid.shape, e.fullest).all() * message.makespan;
    mean.add(message, mean_sends(laid.shape));
  }

  // Of one rank that runs all passes itself.
  Seconds time_alone(const Laid& laid, const TrainingEstimate& e) const {
    if (!parts_gradients(laid.training.parallelism)) return e.total.makespan;
    Seconds sum;
    for (const std::uint32_t kind : laid.stages.kind_of_stage)
      sum += passes_[kind].forward.makespan + passes_[kind].input_gradient + passes_[kind].weight_gradient;
    return runs_of_chunk(laid.shape) * sum;
  }

  const std::vector<BlockExchange>& exchanges(const Laid& laid, RankCosts& rank) {
    return rank.exchanges(laid.training.parallelism, subject_.precision.compute, laid.runtime.reduced_gradients,
                          *prices_);
  }

  // What data parallelism does once a step beside the passes. The first rank starts first and ends last: what it cannot
  // hide makes the step longer.
  void exchange_once(const Laid& laid, RankCosts& rank, std::int64_t fullest, StepEnds& ends, MeanWork& mean) {
    const OnceAStep once = exchanges_once_a_step(laid.training.parallelism, laid.runtime);
    if (!once.any()) return;
    const std::vector<BlockExchange>& all = exchanges(laid, rank);
    const double share = d(laid.shape.copies()) / d(laid.shape.pp);
    Seconds in_all;
    count_layers(laid, fullest, share_.counts);
    for (std::size_t b = 0; b < all.size(); ++b) {
      for (const auto& [runs, cost] :
           {std::pair{once.gathers, &all[b].gather}, std::pair{once.reduces, &all[b].reduce}}) {
        if (!runs || cost->makespan <= Seconds(0)) continue;
        in_all += d(share_.counts[b]) * cost->makespan;
        mean.add(*cost, share * d(laid.stages.counts[b]));
      }
    }
    ends.exchange_time = in_all;
    if (in_all <= Seconds(0)) return;
    const plan::PassesBetween between = plan::passes_between_chunks(laid.shape);
    BesidePass beside{.exchanges = &all, .exposed = plan::exposed_shares(laid.runtime)};
    if (once.gathers) {
      beside.gathers = true;
      ends.longer += longer(laid, rank, &BlockCosts::forward, &StagePasses::forward, between.forwards, beside);
    }
    if (once.reduces) {
      beside.gathers = false;
      beside.reduces = true;
      ends.longer += longer(laid, rank, &BlockCosts::backward, &StagePasses::backward, between.backwards, beside);
    }
  }

  // The first chunk's exchanges run layer by layer beside its first (or last) pass; those of another beside the passes
  // of the chunk before it, between that one's first and its own. Without any such pass they go as the first chunk's.
  Seconds longer(const Laid& laid, const RankCosts& rank, PassCost BlockCosts::*part,
                 report::StepCost StagePasses::*pass, std::int64_t between, const BesidePass& beside) {
    Seconds sum, last;
    std::size_t before = laid.stages.kinds.size(), two_before = before;
    for (std::int64_t chunk = 0; chunk < laid.shape.chunks(); ++chunk) {
      const std::size_t kind = laid.stages.kind(laid.shape.stage_of(0, chunk));
      const StageKind& own = laid.stages.kinds[kind];
      // The first chunk's own exchanges take one of its passes.
      const std::int64_t free = chunk == 0 ? 0 : between - (chunk == 1 ? 1 : 0);
      if (free == 0) {
        last = rank.pass(own, part, beside).makespan - (passes_[kind].*pass).makespan;
      } else if (chunk < 3 || kind != before || before != two_before) {
        const StageKind& host = laid.stages.kinds[before];
        last = rank.longer_beside(host, part, d(free) * (passes_[before].*pass).makespan, own, beside);
      }
      sum += last;
      two_before = std::exchange(before, kind);
    }
    return sum;
  }

  // Layers of each block that a pipeline rank holds.
  static void count_layers(const Laid& laid, std::int64_t rank, std::vector<std::int64_t>& counts) {
    counts.assign(laid.stages.counts.size(), 0);
    for (std::int64_t chunk = 0; chunk < laid.shape.chunks(); ++chunk) {
      const StageKind& stage = laid.stages.kinds[laid.stages.kind(laid.shape.stage_of(rank, chunk))];
      for (std::size_t b = 0; b < counts.size(); ++b) counts[b] += stage.counts[b];
    }
  }

  static plan::Parameters parameters_of(const RankPlan& plan, const std::vector<std::int64_t>& counts) {
    plan::Parameters own;
    for (std::size_t b = 0; b < counts.size(); ++b) own.add(plan.parameters()[b], d(counts[b]));
    return own;
  }

  const RankEnds& step_end(const Laid& laid) {
    const Training& t = laid.training;
    const plan::TrainingParallelism& p = t.parallelism;
    const Key<16> key =
        join(cut_of(p), Key<11>{number(p.schedule), number(p.zero_bubble), p.virtual_stages, p.pp, p.dp, number(p.zero),
                                p.hsdp_shard, laid.runtime.overlaps_grad_reduce ? 1 : 0,
                                laid.runtime.overlaps_param_gather ? 1 : 0, number(t.optimizer), number(t.moments)});
    const auto known = ends_.find(key);
    return known != ends_.end() ? known->second : ends_.emplace(key, price_ends(laid)).first->second;
  }

  RankEnds price_ends(const Laid& laid) {
    RankEnds ends;
    std::vector<std::pair<plan::Parameters, report::StepCost>> priced;
    for (std::int64_t r = 0; r < laid.shape.pp; ++r) {
      count_layers(laid, r, share_.counts);
      const plan::Parameters own = parameters_of(laid.plan, share_.counts);
      auto same = std::find_if(priced.begin(), priced.end(), [&](const auto& other) { return other.first == own; });
      if (same == priced.end()) {
        const machine::Program end = step_end_program(subject_, own, laid.training, laid.runtime);
        same = priced.insert(priced.end(), {own, serial(end, laid.runtime)});
      }
      if (same->second.makespan > ends.slowest.makespan) ends.slowest = same->second;
      ends.mean.add(same->second, 1 / d(laid.shape.pp));
    }
    return ends;
  }

  plan::StageMemory memory(const Laid& laid) {
    const plan::ScheduleShape& shape = laid.shape;
    const plan::StageSetting setting = stage_setting(subject_, laid.training, laid.runtime);
    const std::vector<plan::InFlight> in_flight = plan::peak_in_flight(shape);
    plan::StageMemory peak;
    for (std::int64_t r = 0; r < shape.pp; ++r) {
      count_layers(laid, r, share_.counts);
      share_.hold(in_flight[static_cast<std::size_t>(r)], shape.chunks());
      const plan::StageMemory own = plan::stage_memory(laid.plan.memory(), share_, laid.training.parallelism, setting);
      if (own.total() > peak.total()) peak = own;
    }
    return peak;
  }

  const TrainingSubject subject_;
  const spec::ChipSpec& chip_;
  std::optional<machine::PriceBook> prices_;
  std::vector<graph::Recompute> recomputes_;
  Priced<11, Rank> ranks_;
  Priced<16, RankEnds> ends_;
  // Scratch of one estimate.
  std::vector<StagePasses> passes_;  // of each kind of stage
  std::vector<Seconds> busy_;        // of each stage
  plan::StageShare share_;
};

TrainingCosts::TrainingCosts(const TrainingSubject& subject, const machine::PriceOptions& options)
    : book_(std::make_unique<Book>(subject, options)) {}

TrainingCosts::~TrainingCosts() = default;

TrainingEstimate TrainingCosts::estimate(const Training& training) { return book_->estimate(training); }

bool TrainingCosts::fits(const Training& training) { return book_->fits(training); }

void TrainingCosts::renew_prices(const machine::PriceOptions& options) { book_->renew_prices(options); }

void TrainingCosts::renew_network_prices() { book_->renew_network_prices(); }

std::vector<report::OpTotal> TrainingCosts::operators(const Training& training, std::int64_t fullest) {
  return book_->operators(training, fullest);
}

}  // namespace mlosim::predict
