#include "models/predict/rank_costs.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/plan/pipeline_time.hpp"
#include "models/predict/step_traffic.hpp"
#include "sim/machine/fair_speeds.hpp"

namespace mlosim::predict {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// The larger of two needs of each resource: collectives of one stream take turns.
chip::ChipUse larger(const chip::ChipUse& a, const chip::ChipUse& b) {
  return {.units = std::max(a.units, b.units),
          .cache = std::max(a.cache, b.cache),
          .memory = std::max(a.memory, b.memory),
          .link = std::max(a.link, b.link)};
}

}  // namespace

RankCosts::RankCosts(const TrainingSubject& subject, const Training& training, const spec::TrainingRuntime& runtime,
                     machine::PriceBook& prices, bool parts_gradients)
    : chip_(subject.hardware.system.chip),
      parts_gradients_(parts_gradients),
      graph_(training_graph(subject, training, runtime)),
      flops_(count_flops(graph_)) {
  const spec::LaunchSpec launch = training_launch(chip_, runtime);
  for (std::uint32_t b = 0; b < graph_.blocks.size(); ++b) {
    const auto cost_of = [&](plan::ChunkShape chunk) -> PassCost {
      chunk.blocks = {b};
      const report::SerialReport report = report::serial_report(
          chunk_program(subject, graph_, chunk, training, runtime), prices, launch, chip_.power.static_power());
      return {.cost = report.step, .use = report.use};
    };
    BlockCosts block;
    block.forward = cost_of({});
    block.backward = cost_of({.backward = true});
    if (parts_gradients) {
      block.input_gradient = cost_of({.backward = true, .weight_gradients = false});
      block.weight_gradient = cost_of({.backward = true, .input_gradients = false});
    }
    memory_.push_back(plan::memory_of(graph_.blocks[b], training.parallelism));
    parameters_.push_back(plan::Parameters::of(graph_.blocks[b]));
    blocks_.push_back(std::move(block));
  }
}

const StageTable& RankCosts::stages(std::int64_t count) {
  const auto known = tables_.find(count);
  return known != tables_.end() ? known->second : tables_.emplace(count, make_stages(count)).first->second;
}

StageTable RankCosts::make_stages(std::int64_t count) const {
  StageTable table;
  table.counts.resize(blocks_.size());
  for (const plan::StageLayers& layers :
       plan::deal_layers(static_cast<std::int64_t>(graph_.block_of_layer.size()), count)) {
    StageKind kind{.layers = layers, .counts = std::vector<std::int64_t>(blocks_.size())};
    for (const std::uint32_t b : plan::blocks_of(graph_, layers)) ++kind.counts[b];
    auto same = std::find_if(table.kinds.begin(), table.kinds.end(),
                             [&](const StageKind& other) { return other.counts == kind.counts; });
    if (same == table.kinds.end()) {
      table.passes.push_back({.forward = pass(kind, &BlockCosts::forward, {}),
                              .backward = pass(kind, &BlockCosts::backward, {}),
                              .input_gradient = pass(kind, &BlockCosts::input_gradient, {}).makespan,
                              .weight_gradient = pass(kind, &BlockCosts::weight_gradient, {}).makespan});
      same = table.kinds.insert(table.kinds.end(), std::move(kind));
    }
    const auto at = static_cast<std::uint32_t>(same - table.kinds.begin());
    table.kind_of_stage.push_back(at);
    table.work.add(table.passes[at].forward, 1);
    table.work.add(table.passes[at].backward, 1);
    for (std::size_t b = 0; b < blocks_.size(); ++b) table.counts[b] += same->counts[b];
  }
  return table;
}

const PipelineTimes& RankCosts::pipeline(const plan::ScheduleShape& shape, const Sending& sending) {
  if (last_.shape == shape && last_.sending == sending) return last_.times;
  const StageTable& table = stages(shape.stages());
  const auto time = [&](Seconds message) {
    stage_times_.clear();
    for (const std::uint32_t kind : table.kind_of_stage) {
      const StagePasses& passes = table.passes[kind];
      stage_times_.push_back({.forward = passes.forward.makespan,
                              .input_gradient = parts_gradients_ ? passes.input_gradient : passes.backward.makespan,
                              .weight_gradient = parts_gradients_ ? passes.weight_gradient : Seconds(0),
                              .send_activation = message,
                              .send_gradient = message});
    }
    return plan::estimate_pipeline(shape, stage_times_, sending.mode);
  };
  last_ = {
      .shape = shape, .sending = sending, .times = {.with_messages = time(sending.each), .without = time(Seconds(0))}};
  return last_.times;
}

report::StepCost RankCosts::sum(const StageKind& stage, PassCost BlockCosts::*part) const {
  report::StepCost sum;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    if (stage.counts[b] > 0) sum.add((blocks_[b].*part).cost, d(stage.counts[b]));
  }
  return sum;
}

report::StepCost RankCosts::pass(const StageKind& stage, PassCost BlockCosts::*part, const BesidePass& beside) const {
  const bool backward = part != &BlockCosts::forward;
  report::StepCost cost = sum(stage, part);
  if (cost.makespan <= Seconds(0)) return cost;
  if (!beside.is_alone()) {
    std::vector<std::uint32_t> order = plan::blocks_of(graph_, stage.layers);
    if (backward) std::reverse(order.begin(), order.end());
    std::vector<plan::OverlappedLayer> layers;
    layers.reserve(order.size());
    for (const std::uint32_t b : order) {
      const BlockExchange& exchange = (*beside.exchanges)[b];
      plan::OverlappedLayer layer{.work = (blocks_[b].*part).cost.makespan,
                                  .work_speed = backward ? exchange.backward_speed : exchange.forward_speed,
                                  .collective_speed = backward ? exchange.exchange_speed : exchange.gather_speed};
      const auto add = [&](Seconds& time, const report::StepCost& collective) {
        time = collective.makespan;
        cost.communication_total += collective.makespan;
        cost.energy += collective.energy;
        cost.energy_parts += collective.energy_parts;
      };
      if (beside.gathers) add(layer.gather, exchange.gather);
      if (beside.reduces) add(layer.reduce, exchange.reduce);
      layers.push_back(layer);
    }
    const Seconds work = cost.makespan;
    cost.wait(plan::overlapped_time(layers, beside.exposed) - work, &report::TimeBreakdown::communication_exposed,
              chip::Resource::link_bandwidth, chip_.power.static_power());
  }
  const double stretch = cost.throttle(chip_.power);
  if (stretch > 1) cost.stretch(stretch, chip_.power.static_power());
  if (part == &BlockCosts::weight_gradient) return cost;  // what was offloaded came back for the input gradients
  Bytes offloaded;
  for (std::size_t b = 0; b < blocks_.size(); ++b) offloaded += d(stage.counts[b]) * memory_[b].offloaded;
  const Seconds wait = offload_wait(offloaded, cost.makespan, chip_);
  cost.wait(wait, &report::TimeBreakdown::communication_exposed, chip::Resource::host, chip_.power.static_power());
  cost.communication_total += wait;
  return cost;
}

Seconds RankCosts::longer_beside(const StageKind& stage, PassCost BlockCosts::*part, Seconds work,
                                 const StageKind& other, const BesidePass& beside) const {
  const bool backward = part != &BlockCosts::forward;
  plan::OverlappedLayer passes{.work = work, .work_speed = 0, .collective_speed = 0}, exchange;
  Seconds own;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const BlockExchange& of = (*beside.exchanges)[b];
    const Seconds layers = d(stage.counts[b]) * (blocks_[b].*part).cost.makespan;
    own += layers;
    passes.work_speed += layers.si() * (backward ? of.backward_speed : of.forward_speed);
    passes.collective_speed += layers.si() * (backward ? of.exchange_speed : of.gather_speed);
    if (beside.gathers) exchange.gather += d(other.counts[b]) * of.gather.makespan;
    if (beside.reduces) exchange.reduce += d(other.counts[b]) * of.reduce.makespan;
  }
  passes.work_speed = own > Seconds(0) ? passes.work_speed / own.si() : 1;
  passes.collective_speed = own > Seconds(0) ? passes.collective_speed / own.si() : 1;
  const std::array<plan::OverlappedLayer, 2> order =
      backward ? std::array{exchange, passes} : std::array{passes, exchange};
  return plan::overlapped_time(order, beside.exposed) - work;
}

const std::vector<BlockExchange>& RankCosts::exchanges(const plan::TrainingParallelism& p, work::DType weights,
                                                       work::DType gradients, machine::PriceBook& prices) {
  const ReplicaKey key{.dp = p.dp, .hsdp_shard = p.hsdp_shard, .zero = p.zero};
  const auto known = exchanges_.find(key);
  if (known != exchanges_.end()) return known->second;
  std::vector<BlockExchange> exchanges;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Exchanged gather = price_exchange(plan::parameter_gathers(parameters_[b], p, weights), prices);
    const Exchanged reduce = price_exchange(plan::gradient_reductions(parameters_[b], p, gradients), prices);
    const std::vector<double> forwards = machine::fair_speeds({blocks_[b].forward.use, gather.use});
    const std::vector<double> backwards =
        machine::fair_speeds({blocks_[b].backward.use, larger(gather.use, reduce.use)});
    exchanges.push_back({.gather = gather.cost,
                         .reduce = reduce.cost,
                         .forward_speed = forwards[0],
                         .gather_speed = forwards[1],
                         .backward_speed = backwards[0],
                         .exchange_speed = backwards[1]});
  }
  return exchanges_.emplace(key, std::move(exchanges)).first->second;
}

const report::StepCost& RankCosts::message(const TrainingSubject& subject, const Training& training,
                                           machine::PriceBook& prices) {
  const std::pair key{training.parallelism.pp, training.parallelism.dp};
  const auto known = messages_.find(key);
  if (known != messages_.end()) return known->second;
  return messages_.emplace(key, price_exchange(stage_messages(subject, training), prices).cost).first->second;
}

}  // namespace mlosim::predict
