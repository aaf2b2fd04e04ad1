// Who sends what to whom when, in a collective by a known algorithm: the messages of each rank, step by step. Ranks are
// counted inside the group. No times: sim/net/play_collectives plays a script on a network.
//
// A rank begins a step when it has sent all of the step before and received all that it waits for there.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct Send {
  std::int32_t to = 0;
  Bytes bytes;
};

class Script {
 public:
  virtual ~Script() = default;

  std::int32_t ranks() const { return ranks_; }
  std::int32_t steps() const { return steps_; }

  // Appends what a rank sends in a step.
  virtual void sends(std::int32_t rank, std::int32_t step, std::vector<Send>& out) const = 0;
  // Messages that a rank waits for at the end of a step.
  virtual std::int32_t receives(std::int32_t rank, std::int32_t step) const = 0;
  // Steps of one kind send the same bytes between the same ranks.
  virtual std::int32_t kind(std::int32_t step) const = 0;

 protected:
  Script(std::int64_t ranks, std::int64_t steps)
      : ranks_(static_cast<std::int32_t>(ranks)), steps_(static_cast<std::int32_t>(steps)) {}

 private:
  std::int32_t ranks_, steps_;
};

// With S bytes and n ranks (Collective::bytes, ranks; bytes > 0, ranks > 1):
//   ring              neighbours to the right, S/n a step, 2(n-1) steps of an all-reduce, n-1 otherwise
//   halving-doubling  partners at distance n/2, n/4 … with half as much each time, then back; n a power of two
//   direct            all to all at once, S/n; twice for an all-reduce
//   tree              up a binary tree to rank 0, whole buffers, and down again
//   torus             ring along one axis after the other, each with what the axes before left; `sides` multiply to n
//   hierarchical      ring inside groups of `inside` ranks, ring of those with the same place, ring inside
std::unique_ptr<Script> ring_script(const work::Collective& collective);
std::unique_ptr<Script> halving_doubling_script(const work::Collective& collective);
std::unique_ptr<Script> direct_script(const work::Collective& collective);
std::unique_ptr<Script> tree_script(const work::Collective& collective);
std::unique_ptr<Script> torus_script(const work::Collective& collective, const std::vector<std::int64_t>& sides);
std::unique_ptr<Script> hierarchical_script(const work::Collective& collective, std::int64_t inside);

}  // namespace mlosim::net
