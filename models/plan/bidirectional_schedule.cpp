#include "models/plan/bidirectional_schedule.hpp"

#include <algorithm>
#include <array>
#include <deque>

namespace mlosim::plan {
namespace {

// Directions are counted as the rank sees them: 0 is the one whose start is nearer to it.
class RankOrder {
 public:
  RankOrder(const ScheduleShape& shape, std::int64_t rank)
      : half_(static_cast<std::int32_t>(shape.micro_batches / 2)), is_upper_(rank >= shape.pp / 2) {}

  void forward(int direction) { add(ChunkPass::forward, direction, forwards_); }
  void backward(int direction) { add(ChunkPass::backward, direction, backwards_); }
  void input_gradient(int direction) {
    add(ChunkPass::input_gradient, direction, backwards_);
    owed_.push_back(order_.back());
  }
  void weight_gradient() {
    order_.push_back(owed_.front());
    order_.back().pass = ChunkPass::weight_gradient;
    owed_.pop_front();
  }
  void overlap(int forward_direction, int backward_direction) {
    forward(forward_direction);
    order_.back().with_next = true;
    backward(backward_direction);
  }

  std::vector<ChunkTask> take() { return std::move(order_); }

 private:
  void add(ChunkPass pass, int direction, std::array<std::int32_t, 2>& done) {
    const std::int32_t chunk = is_upper_ ? 1 - direction : direction;
    order_.push_back(
        {.pass = pass, .micro_batch = chunk * half_ + done[static_cast<std::size_t>(chunk)]++, .chunk = chunk});
  }

  std::int32_t half_;  // micro-batches of one direction
  bool is_upper_;
  std::array<std::int32_t, 2> forwards_{}, backwards_{};  // of each chunk, so far
  std::deque<ChunkTask> owed_;                            // input gradients whose weight gradients are to come
  std::vector<ChunkTask> order_;
};

}  // namespace

std::vector<ChunkTask> bidirectional_order(const ScheduleShape& shape, std::int64_t rank) {
  const std::int64_t half_ranks = shape.pp / 2, from_end = std::min(rank, shape.pp - 1 - rank);
  const std::int64_t inner = half_ranks - from_end - 1;  // ranks between this one and the middle
  RankOrder order(shape, rank);
  for (std::int64_t i = 0; i < 2 * inner; ++i) order.forward(0);
  for (std::int64_t i = 0; i <= from_end; ++i) {
    order.forward(0);
    order.forward(1);
  }
  for (std::int64_t i = 0; i < inner; ++i) {
    order.input_gradient(1);
    order.weight_gradient();
    order.forward(1);
  }
  const std::int64_t steady = shape.micro_batches / 2 - shape.pp + from_end + 1;
  for (std::int64_t i = 0; i < steady; ++i) {
    if (i == 0 && inner == 0) {  // the two ranks in the middle wait for each other here: one after the other
      order.forward(0);
      order.backward(1);
    } else {
      order.overlap(0, 1);
    }
    order.overlap(1, 0);
  }
  for (std::int64_t i = 0; i < inner; ++i) {
    order.backward(1);
    order.overlap(1, 0);
  }
  // From the middle of the drain on, weight gradients are put off to fill what follows.
  bool puts_off = false;
  const auto drain = [&](int direction) {
    if (puts_off) {
      order.input_gradient(direction);
    } else {
      order.backward(direction);
    }
  };
  const std::int64_t drained = from_end + 1;
  for (std::int64_t i = 0; i < drained; ++i) {
    puts_off = puts_off || (i == drained / 2 && from_end % 2 == 1);
    drain(1);
    puts_off = puts_off || (i == drained / 2 && from_end % 2 == 0);
    drain(0);
  }
  for (std::int64_t i = 0; i < inner; ++i) {
    order.weight_gradient();
    order.input_gradient(0);
  }
  for (std::int64_t i = 0; i < drained; ++i) order.weight_gradient();
  return order.take();
}

}  // namespace mlosim::plan
