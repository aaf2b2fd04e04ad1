#include "sim/net/group_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::net {
namespace {

// How `ranks` at `stride` lie in blocks of `block` chips; no nodes where they do not.
GroupLayout in_blocks(std::int64_t ranks, std::int64_t stride, std::int64_t block) {
  if (stride >= block) {
    if (stride % block != 0) return {.nodes = 0};
    return {.per_node = 1, .nodes = ranks, .node_step = stride / block};
  }
  const std::int64_t per_node = block / stride;
  if (block % stride != 0 || ranks % per_node != 0) return {.nodes = 0};
  return {.per_node = per_node, .nodes = ranks / per_node, .node_step = 1};
}

}  // namespace

GroupLayout place_group(const work::Collective& collective, const spec::SystemSpec& system) {
  const std::int64_t node = system.fabric.chips, ranks = collective.ranks, stride = collective.stride;
  const std::int64_t span = (ranks - 1) * stride + 1;
  if (ranks * stride <= node || (stride == 1 && span <= node)) return {.per_node = ranks};
  if (!system.scale_out) {
    throw spec::InputError(
        fmt::format("a collective of {} ranks does not fit: {} joins {} chip{} and has no network beyond", ranks,
                    system.name, node, node == 1 ? "" : "s"),
        "take fewer ranks, or a system with 'scale_out:'");
  }
  for (std::int64_t block = node; 2 * block > node; --block) {
    const GroupLayout layout = in_blocks(ranks, stride, block);
    if (layout.nodes > 0) return layout;
  }
  throw spec::InputError(fmt::format("{} ranks{} do not fill nodes of {} chips evenly", ranks,
                                     stride == 1 ? std::string() : fmt::format(", {} chips apart,", stride), node),
                         fmt::format("ranks and stride that divide {}, or that it divides", node));
}

}  // namespace mlosim::net
