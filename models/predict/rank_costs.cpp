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

RankPlan::RankPlan(const TrainingSubject& subject, const Training& training, const spec::TrainingRuntime& runtime,
                   bool parts_gradients)
    : parts_gradients_(parts_gradients),
      graph_(training_graph(subject, training, runtime)),
      flops_(count_flops(graph_)) {
  for (std::uint32_t b = 0; b < graph_.blocks.size(); ++b) {
    const auto program_of = [&](plan::ChunkShape chunk) {
      chunk.blocks = {b};
      return chunk_program(subject, graph_, chunk, training, runtime);
    };
    BlockPrograms& block = programs_.emplace_back();
    block.forward = program_of({});
    block.backward = program_of({.backward = true});
    if (parts_gradients) {
      block.input_gradient = program_of({.backward = true, .weight_gradients = false});
      block.weight_gradient = program_of({.backward = true, .input_gradients = false});
    }
    memory_.push_back(plan::memory_of(graph_.blocks[b], training.parallelism));
    parameters_.push_back(plan::Parameters::of(graph_.blocks[b]));
  }
}

const StageTable& RankPlan::stages(std::int64_t count) {
  const auto known = tables_.find(count);
  return known != tables_.end() ? known->second : tables_.emplace(count, make_stages(count)).first->second;
}

StageTable RankPlan::make_stages(std::int64_t count) const {
  StageTable table;
  table.counts.resize(programs_.size());
  for (const plan::StageLayers& layers :
       plan::deal_layers(static_cast<std::int64_t>(graph_.block_of_layer.size()), count)) {
    StageKind kind{.layers = layers, .counts = std::vector<std::int64_t>(programs_.size())};
    for (const std::uint32_t b : plan::blocks_of(graph_, layers)) ++kind.counts[b];
    auto same = std::find_if(table.kinds.begin(), table.kinds.end(),
                             [&](const StageKind& other) { return other.counts == kind.counts; });
    if (same == table.kinds.end()) same = table.kinds.insert(table.kinds.end(), std::move(kind));
    table.kind_of_stage.push_back(static_cast<std::uint32_t>(same - table.kinds.begin()));
    for (std::size_t b = 0; b < programs_.size(); ++b) table.counts[b] += same->counts[b];
  }
  return table;
}

RankCosts::RankCosts(const RankPlan& plan, const spec::LaunchSpec& launch, machine::PriceBook& prices)
    : plan_(plan), chip_(prices.hardware().system.chip) {
  const auto cost_of = [&](const machine::Program& program) -> PassCost {
    const report::SerialCost serial = report::serial_cost(program, prices, launch, chip_.power.static_power());
    return {.cost = serial.cost, .use = serial.use};
  };
  for (const BlockPrograms& programs : plan.programs()) {
    BlockCosts& block = blocks_.emplace_back();
    block.forward = cost_of(programs.forward);
    block.backward = cost_of(programs.backward);
    if (programs.input_gradient) block.input_gradient = cost_of(*programs.input_gradient);
    if (programs.weight_gradient) block.weight_gradient = cost_of(*programs.weight_gradient);
  }
}

const StageCosts& RankCosts::stages(const StageTable& table) {
  const auto known = stages_.find(&table);
  return known != stages_.end() ? known->second : stages_.emplace(&table, price_stages(table)).first->second;
}

StageCosts RankCosts::price_stages(const StageTable& table) const {
  StageCosts costs;
  for (const StageKind& kind : table.kinds) {
    costs.passes.push_back({.forward = pass(kind, &BlockCosts::forward, {}),
                            .backward = pass(kind, &BlockCosts::backward, {}),
                            .input_gradient = pass(kind, &BlockCosts::input_gradient, {}).makespan,
                            .weight_gradient = pass(kind, &BlockCosts::weight_gradient, {}).makespan});
  }
  for (const std::uint32_t kind : table.kind_of_stage) {
    costs.work.add(costs.passes[kind].forward, 1);
    costs.work.add(costs.passes[kind].backward, 1);
  }
  return costs;
}

const PipelineTimes& RankCosts::pipeline(const plan::ScheduleShape& shape, const StageTable& table,
                                         const Sending& sending) {
  if (last_.shape == shape && last_.sending == sending) return last_.times;
  const std::vector<StagePasses>& passes_of = stages(table).passes;
  const auto time = [&](Seconds message) {
    stage_times_.clear();
    for (const std::uint32_t kind : table.kind_of_stage) {
      const StagePasses& passes = passes_of[kind];
      stage_times_.push_back(
          {.forward = passes.forward.makespan,
           .input_gradient = plan_.parts_gradients() ? passes.input_gradient : passes.backward.makespan,
           .weight_gradient = plan_.parts_gradients() ? passes.weight_gradient : Seconds(0),
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
    std::vector<std::uint32_t> order = plan::blocks_of(plan_.graph(), stage.layers);
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
  for (std::size_t b = 0; b < blocks_.size(); ++b) offloaded += d(stage.counts[b]) * plan_.memory()[b].offloaded;
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
    const Exchanged gather = price_exchange(plan::parameter_gathers(plan_.parameters()[b], p, weights), prices);
    const Exchanged reduce = price_exchange(plan::gradient_reductions(plan_.parameters()[b], p, gradients), prices);
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
