#include "models/predict/step_traffic.hpp"

#include <string>
#include <utility>

#include "models/plan/training_states.hpp"
#include "models/predict/close_step.hpp"

namespace mlosim::predict {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

class TrafficList {
 public:
  explicit TrafficList(machine::PriceBook& prices) : prices_(prices) {}

  void add(std::string name, const work::Collective& op, double count) {
    if (count <= 0) return;
    const machine::TaskPrice& price = prices_.price(op);
    report::OpTotal total = report::op_total({std::move(name), op}, price);
    total.count = count;
    total.time = count * price.time;
    total.each = price.time;
    total.bound = price.bound;
    total.pricing = prices_.options();
    ops_.push_back(std::move(total));
  }
  std::vector<report::OpTotal> take() { return std::move(ops_); }

 private:
  machine::PriceBook& prices_;
  std::vector<report::OpTotal> ops_;
};

}  // namespace

Sends sends_of_rank(const plan::ScheduleShape& shape, std::int64_t rank) {
  Sends sends;
  for (std::int64_t chunk = 0; chunk < shape.chunks(); ++chunk) {
    const std::int64_t stage = shape.stage_of(rank, chunk);
    if (shape.crosses_after(stage)) sends.activations += runs_of_chunk(shape);
    if (stage > 0 && shape.crosses_after(stage - 1)) sends.gradients += runs_of_chunk(shape);
  }
  return sends;
}

double mean_sends(const plan::ScheduleShape& shape) {
  return 2 * d(shape.micro_batches) * d(shape.crossings()) / d(shape.pp);
}

OnceAStep exchanges_once_a_step(const plan::TrainingParallelism& p, const spec::TrainingRuntime& runtime) {
  return {.gathers = plan::gathers_at_start(p, runtime),
          .reduces = runtime.overlaps_grad_reduce && !p.reduces_in_layers()};
}

Exchanged price_exchange(const std::vector<work::Collective>& collectives, machine::PriceBook& prices) {
  Exchanged sum;
  for (const work::Collective& op : collectives) {
    const machine::TaskPrice& price = prices.price(op);
    sum.cost.makespan += price.time;
    sum.cost.add_work(price);
    sum.use = price.use;
  }
  return sum;
}

std::vector<report::OpTotal> traffic_operators(const TrainingSubject& subject, const graph::TrainingGraph& graph,
                                               const Training& t, const RankLayers& layers,
                                               machine::PriceBook& prices) {
  const plan::TrainingParallelism& p = t.parallelism;
  const spec::TrainingRuntime runtime = resolve_training_runtime(subject, t);
  TrafficList list(prices);
  if (p.pp > 1) {
    const Sends sends = sends_of_rank(p.shape(t.micro_batches()), layers.rank);
    const std::vector<work::Collective> messages = stage_messages(subject, t);
    list.add("activations.send", messages.front(), sends.activations);
    list.add("gradients.send", messages.front(), sends.gradients);
    // A rank gets activations from where it sends gradients to.
    for (std::size_t i = 1; i < messages.size(); ++i) {
      list.add("activations.gather", messages[i], sends.gradients);
      list.add("gradients.gather", messages[i], sends.activations);
    }
  }
  const OnceAStep once = exchanges_once_a_step(p, runtime);
  for (std::size_t b = 0; b < layers.counts.size(); ++b) {
    const graph::TrainingBlock& block = graph.blocks[b];
    const plan::Parameters own = plan::Parameters::of(block);
    if (once.gathers) {
      for (const work::Collective& op : plan::parameter_gathers(own, p, subject.precision.compute))
        list.add(block.name + ".parameters.gather", op, d(layers.counts[b]));
    }
    if (once.reduces) {
      for (const work::Collective& op : plan::gradient_reductions(own, p, runtime.reduced_gradients))
        list.add("backward." + block.name + ".gradients.reduce", op, d(layers.counts[b]));
    }
  }
  return list.take();
}

}  // namespace mlosim::predict
