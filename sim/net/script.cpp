#include "sim/net/script.hpp"

#include <algorithm>
#include <bit>

#include "sim/units/check.hpp"

namespace mlosim::net {
namespace {

using work::Collective;
using work::CollectiveKind;

// Rings one after another: in each phase ranks that differ in one digit of their number form rings. Ring, torus and
// hierarchical algorithms are this.
struct RingPhase {
  std::int64_t stride = 1;  // between neighbours
  std::int64_t length = 1;  // of each ring
  Bytes bytes;              // a step
};

class RingPhases final : public Script {
 public:
  RingPhases(std::int64_t ranks, std::vector<RingPhase> phases)
      : Script(ranks, count(phases)), phases_(std::move(phases)) {
    for (std::size_t i = 0; i < phases_.size(); ++i)
      phase_of_.insert(phase_of_.end(), static_cast<std::size_t>(phases_[i].length - 1), static_cast<std::int32_t>(i));
  }

  void sends(std::int32_t rank, std::int32_t step, std::vector<Send>& out) const override {
    const RingPhase& phase = phases_[static_cast<std::size_t>(kind(step))];
    const std::int64_t place = rank / phase.stride % phase.length;
    const std::int64_t next = place + 1 == phase.length ? rank - place * phase.stride : rank + phase.stride;
    out.push_back({.to = static_cast<std::int32_t>(next), .bytes = phase.bytes});
  }
  std::int32_t receives(std::int32_t, std::int32_t) const override { return 1; }
  std::int32_t kind(std::int32_t step) const override { return phase_of_[static_cast<std::size_t>(step)]; }

 private:
  static std::int64_t count(const std::vector<RingPhase>& phases) {
    std::int64_t steps = 0;
    for (const RingPhase& phase : phases) steps += phase.length - 1;
    return steps;
  }

  std::vector<RingPhase> phases_;
  std::vector<std::int32_t> phase_of_;  // by step
};

// Ranks cut into digits: axis i has `sides[i]` places, the first varies fastest.
std::unique_ptr<Script> ring_phases(const Collective& c, const std::vector<std::int64_t>& sides) {
  std::vector<RingPhase> scatter;
  Bytes left = c.bytes;
  std::int64_t stride = 1;
  for (const std::int64_t side : sides) {
    left /= static_cast<double>(side);
    if (side > 1) scatter.push_back({.stride = stride, .length = side, .bytes = left});
    stride *= side;
  }
  MLOSIM_CHECK(stride == c.ranks);
  std::vector<RingPhase> gather(scatter.rbegin(), scatter.rend());
  if (c.kind == CollectiveKind::all_gather) return std::make_unique<RingPhases>(c.ranks, std::move(gather));
  if (c.kind == CollectiveKind::all_reduce) scatter.insert(scatter.end(), gather.begin(), gather.end());
  return std::make_unique<RingPhases>(c.ranks, std::move(scatter));
}

class HalvingDoubling final : public Script {
 public:
  explicit HalvingDoubling(const Collective& c) : Script(c.ranks, steps_of(c)), collective_(c) {}

  void sends(std::int32_t rank, std::int32_t step, std::vector<Send>& out) const override {
    const std::int32_t level = kind(step);  // 0: partners half of all ranks apart, and half of the bytes
    out.push_back({.to = rank ^ (ranks() >> (level + 1)),
                   .bytes = collective_.bytes / static_cast<double>(std::int64_t{2} << level)});
  }
  std::int32_t receives(std::int32_t, std::int32_t) const override { return 1; }
  std::int32_t kind(std::int32_t step) const override {
    const std::int32_t levels = std::countr_zero(static_cast<std::uint32_t>(ranks()));
    const bool is_gather = step >= levels || collective_.kind == CollectiveKind::all_gather;
    return is_gather ? levels - 1 - step % levels : step;
  }

 private:
  static std::int64_t steps_of(const Collective& c) {
    const auto n = static_cast<std::uint64_t>(c.ranks);
    MLOSIM_CHECK(std::has_single_bit(n));
    return std::countr_zero(n) * (c.kind == CollectiveKind::all_reduce ? 2 : 1);
  }

  Collective collective_;
};

class Direct final : public Script {
 public:
  explicit Direct(const Collective& c)
      : Script(c.ranks, c.kind == CollectiveKind::all_reduce ? 2 : 1), share_(c.bytes / static_cast<double>(c.ranks)) {}

  void sends(std::int32_t rank, std::int32_t, std::vector<Send>& out) const override {
    for (std::int32_t i = 1; i < ranks(); ++i) out.push_back({.to = (rank + i) % ranks(), .bytes = share_});
  }
  std::int32_t receives(std::int32_t, std::int32_t) const override { return ranks() - 1; }
  std::int32_t kind(std::int32_t) const override { return 0; }

 private:
  Bytes share_;
};

// Rank r hangs below (r-1)/2. Depth d sends up in step levels-d, its parents down in the mirrored step.
class Tree final : public Script {
 public:
  explicit Tree(const Collective& c)
      : Script(c.ranks, levels_of(c.ranks) * (c.kind == CollectiveKind::all_reduce ? 2 : 1)),
        bytes_(c.bytes),
        levels_(static_cast<std::int32_t>(levels_of(c.ranks))),
        goes_up_(c.kind == CollectiveKind::all_reduce || c.kind == CollectiveKind::reduce_scatter) {}

  void sends(std::int32_t rank, std::int32_t step, std::vector<Send>& out) const override {
    if (is_up(step)) {
      if (rank > 0 && depth(rank) == sending_depth(step)) out.push_back({.to = (rank - 1) / 2, .bytes = bytes_});
    } else if (depth(rank) + 1 == sending_depth(step)) {
      for (std::int32_t child = 2 * rank + 1; child <= std::min(2 * rank + 2, ranks() - 1); ++child)
        out.push_back({.to = child, .bytes = bytes_});
    }
  }
  std::int32_t receives(std::int32_t rank, std::int32_t step) const override {
    if (!is_up(step)) return rank > 0 && depth(rank) == sending_depth(step) ? 1 : 0;
    if (depth(rank) + 1 != sending_depth(step)) return 0;
    return std::clamp(ranks() - 1 - 2 * rank, 0, 2);
  }
  std::int32_t kind(std::int32_t step) const override { return step; }

 private:
  static std::int64_t levels_of(std::int64_t ranks) { return std::bit_width(static_cast<std::uint64_t>(ranks)) - 1; }
  static std::int32_t depth(std::int32_t rank) { return std::bit_width(static_cast<std::uint32_t>(rank + 1)) - 1; }
  bool is_up(std::int32_t step) const { return goes_up_ && step < levels_; }
  // Of the lower ranks of the links that a step uses.
  std::int32_t sending_depth(std::int32_t step) const { return is_up(step) ? levels_ - step : step % levels_ + 1; }

  Bytes bytes_;
  std::int32_t levels_;
  bool goes_up_;
};

}  // namespace

std::unique_ptr<Script> ring_script(const Collective& collective) {
  return ring_phases(collective, {collective.ranks});
}

std::unique_ptr<Script> halving_doubling_script(const Collective& collective) {
  return std::make_unique<HalvingDoubling>(collective);
}

std::unique_ptr<Script> direct_script(const Collective& collective) { return std::make_unique<Direct>(collective); }

std::unique_ptr<Script> tree_script(const Collective& collective) { return std::make_unique<Tree>(collective); }

std::unique_ptr<Script> torus_script(const Collective& collective, const std::vector<std::int64_t>& sides) {
  return ring_phases(collective, sides);
}

std::unique_ptr<Script> hierarchical_script(const Collective& collective, std::int64_t inside) {
  return ring_phases(collective, {inside, collective.ranks / inside});
}

}  // namespace mlosim::net
