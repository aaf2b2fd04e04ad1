#include "models/predict/rank_costs.hpp"

#include <algorithm>

#include "sim/machine/fair_speeds.hpp"

namespace mlosim::predict {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

struct Exchanged {
  report::StepCost cost;
  chip::ChipUse use;
};

Exchanged price_all(const std::vector<work::Collective>& collectives, machine::PriceBook& prices) {
  Exchanged sum;
  for (const work::Collective& op : collectives) {
    const machine::TaskPrice& price = prices.price(op);
    sum.cost.makespan += price.time;
    sum.cost.add_work(price);
    sum.use = price.use;
  }
  return sum;
}

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
    table.kind_of_stage.push_back(static_cast<std::uint32_t>(same - table.kinds.begin()));
  }
  return table;
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

std::vector<BlockExchange> RankCosts::exchanges(const plan::TrainingParallelism& p, work::DType weights,
                                                work::DType gradients, machine::PriceBook& prices) const {
  std::vector<BlockExchange> exchanges;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Exchanged gather = price_all(plan::parameter_gathers(parameters_[b], p, weights), prices);
    const Exchanged reduce = price_all(plan::gradient_reductions(parameters_[b], p, gradients), prices);
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
  return exchanges;
}

}  // namespace mlosim::predict
