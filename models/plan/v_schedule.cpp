#include "models/plan/v_schedule.hpp"

#include <algorithm>
#include <array>

#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

constexpr std::int64_t kPeriod = 6;  // passes of one micro-batch on a rank

// When one micro-batch passes a rank, counted in passes.
struct Block {
  std::array<std::int64_t, 2> forward{}, input_gradient{}, weight_gradient{};  // of each chunk
};

// Distances from rank to rank: away from rank 0 and back to it.
struct Steps {
  std::int64_t away, back;
};

Steps steps_of(ZeroBubble variant) {
  switch (variant) {
    case ZeroBubble::v:
      return {.away = 4, .back = 2};
    case ZeroBubble::v_half:
      return {.away = 2, .back = 1};
    case ZeroBubble::v_min:
      return {.away = 1, .back = 1};
    case ZeroBubble::h1:
    case ZeroBubble::h2:
      break;
  }
  MLOSIM_CHECK(false);
}

// Passes between the two visits of the last rank, between the last forward and the first gradient, and between the two
// gradients of the last rank.
using Turns = std::array<std::int64_t, 3>;

Block block_of(std::int64_t pp, std::int64_t rank, const Steps& steps, const Turns& turns) {
  const std::int64_t last = pp - 1;
  Block block;
  block.forward[0] = rank * steps.away;
  block.forward[1] = last * steps.away + turns[0] + (last - rank) * steps.back;
  block.input_gradient[1] = last * (steps.away + steps.back) + turns[0] + turns[1] + rank * steps.away;
  block.input_gradient[0] =
      last * (2 * steps.away + steps.back) + turns[0] + turns[1] + turns[2] + (last - rank) * steps.back;
  return block;
}

// Whether the passes of all micro-batches find a rank free; weight gradients take the two places that are left, as soon
// as they can.
bool place(Block& block) {
  std::array<bool, kPeriod> taken{};
  for (const std::int64_t at : {block.forward[0], block.forward[1], block.input_gradient[0], block.input_gradient[1]}) {
    bool& place = taken[static_cast<std::size_t>(at % kPeriod)];
    if (place) return false;
    place = true;
  }
  for (const std::size_t chunk : {1U, 0U}) {
    std::int64_t at = block.input_gradient[chunk] + 1;
    while (taken[static_cast<std::size_t>(at % kPeriod)]) ++at;
    taken[static_cast<std::size_t>(at % kPeriod)] = true;
    block.weight_gradient[chunk] = at;
  }
  return true;
}

std::vector<Block> place_all(std::int64_t pp, const Steps& steps, const Turns& turns) {
  std::vector<Block> blocks;
  for (std::int64_t rank = 0; rank < pp; ++rank) {
    blocks.push_back(block_of(pp, rank, steps, turns));
    if (!place(blocks.back())) return {};
  }
  return blocks;
}

// The shortest block without collisions.
std::vector<Block> find_blocks(std::int64_t pp, const Steps& steps) {
  for (std::int64_t length = 3; length <= 3 * kPeriod; ++length) {
    for (std::int64_t a = 1; a <= kPeriod; ++a) {
      for (std::int64_t b = 1; b <= kPeriod; ++b) {
        const std::int64_t c = length - a - b;
        if (c < 1 || c > kPeriod) continue;
        std::vector<Block> blocks = place_all(pp, steps, {a, b, c});
        if (!blocks.empty()) return blocks;
      }
    }
  }
  MLOSIM_CHECK(false);
}

struct Placed {
  std::int64_t at;
  ChunkTask task;
};

}  // namespace

std::vector<std::vector<ChunkTask>> v_shaped_orders(const ScheduleShape& shape) {
  std::vector<std::vector<ChunkTask>> orders;
  for (const Block& block : find_blocks(shape.pp, steps_of(shape.zero_bubble))) {
    std::vector<Placed> placed;
    for (std::int32_t m = 0; m < shape.micro_batches; ++m) {
      for (std::int32_t chunk = 0; chunk < 2; ++chunk) {
        const auto add = [&](ChunkPass pass, const std::array<std::int64_t, 2>& at) {
          placed.push_back({.at = at[static_cast<std::size_t>(chunk)] + m * kPeriod,
                            .task = {.pass = pass, .micro_batch = m, .chunk = chunk}});
        };
        add(ChunkPass::forward, block.forward);
        add(ChunkPass::input_gradient, block.input_gradient);
        add(ChunkPass::weight_gradient, block.weight_gradient);
      }
    }
    std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.at < b.at; });
    std::vector<ChunkTask>& order = orders.emplace_back();
    for (const Placed& p : placed) order.push_back(p.task);
  }
  return orders;
}

}  // namespace mlosim::plan
