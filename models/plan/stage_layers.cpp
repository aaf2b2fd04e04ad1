#include "models/plan/stage_layers.hpp"

#include "sim/units/check.hpp"

namespace mlosim::plan {

std::vector<StageLayers> deal_layers(std::int64_t layers, std::int64_t stages) {
  MLOSIM_CHECK(layers >= 0 && stages >= 1);
  std::vector<StageLayers> dealt(static_cast<std::size_t>(stages));
  const std::int64_t each = layers / stages, longer = layers % stages;
  const std::int64_t inner = std::max<std::int64_t>(0, stages - 2);
  std::int64_t next = 0;
  for (std::int64_t s = 0; s < stages; ++s) {
    const bool is_first = s == 0, is_last = s + 1 == stages;
    const bool has_more = is_first ? longer > inner : is_last ? longer > inner + 1 : s <= longer;
    StageLayers& stage = dealt[static_cast<std::size_t>(s)];
    stage.first = next;
    stage.end = next += each + (has_more ? 1 : 0);
  }
  dealt.front().embedding = true;
  dealt.back().head = true;
  return dealt;
}

std::vector<std::uint32_t> blocks_of(const graph::TrainingGraph& graph, const StageLayers& stage) {
  std::vector<std::uint32_t> blocks;
  if (stage.embedding) blocks.push_back(0);
  blocks.insert(blocks.end(), graph.block_of_layer.begin() + stage.first, graph.block_of_layer.begin() + stage.end);
  if (stage.head) blocks.push_back(static_cast<std::uint32_t>(graph.blocks.size() - 1));
  return blocks;
}

}  // namespace mlosim::plan
