#include "models/plan/overlapped_layers.hpp"

#include <algorithm>

namespace mlosim::plan {
namespace {

// The collectives' stream: in order, beside the work.
class Queue {
 public:
  void push(Seconds time) { pending_ += time; }
  // What has been queued so far must be over before the next layer begins.
  void require_all() { required_ = pending_; }

  Seconds wait() {
    const Seconds waited = required_;
    take(waited);
    return waited;
  }
  Seconds drain() {
    require_all();
    return wait();
  }
  // A layer runs beside it; how long it takes.
  Seconds run(const OverlappedLayer& layer) {
    const Seconds collective = pending_ / layer.collective_speed, work = layer.work / layer.work_speed;
    if (collective <= work) {
      take(pending_);
      return collective + (layer.work - collective * layer.work_speed);
    }
    take(work * layer.collective_speed);
    return work;
  }

 private:
  void take(Seconds time) {
    pending_ = std::max(Seconds(0), pending_ - time);
    required_ = std::max(Seconds(0), required_ - time);
  }

  Seconds pending_, required_;
};

}  // namespace

ExposedShares exposed_shares(const spec::TrainingRuntime& runtime) {
  return {.gather = runtime.overlaps_param_gather ? runtime.dp_exposed : 1,
          .reduce = runtime.overlaps_grad_reduce ? runtime.dp_exposed : 1};
}

Seconds overlapped_time(std::span<const OverlappedLayer> layers, const ExposedShares& exposed) {
  Queue queue;
  Seconds time;
  const auto gather = [&](std::size_t layer, double share) {
    if (layer >= layers.size() || layers[layer].gather <= Seconds(0) || share <= 0) return;
    queue.push(layers[layer].gather * share);
    queue.require_all();
  };
  gather(0, 1 - exposed.gather);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    gather(i, exposed.gather);
    time += queue.wait();
    gather(i + 1, 1 - exposed.gather);
    time += queue.run(layers[i]);
    const Seconds reduce = layers[i].reduce;
    if (reduce <= Seconds(0)) continue;
    queue.push(reduce * exposed.reduce);
    if (exposed.reduce > 0) queue.require_all();
    queue.push(reduce * (1 - exposed.reduce));
  }
  return time + queue.drain();
}

}  // namespace mlosim::plan
