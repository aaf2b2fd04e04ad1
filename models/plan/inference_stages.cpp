#include "models/plan/inference_stages.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "models/plan/stage_layers.hpp"
#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

// "layers" of "layers.0".
std::string stack_of(const graph::Block& block) { return block.name.substr(0, block.name.find('.')); }

// Layers of one stack run in their own order, whatever kinds they are of.
std::vector<std::uint32_t> blocks_in_order(const graph::Graph& graph) {
  std::vector<std::uint32_t> order;
  const auto& blocks = graph.blocks;
  for (std::uint32_t first = 0; first < blocks.size();) {
    std::uint32_t last = first + 1;
    while (last < blocks.size() && !blocks[first].layers.empty() && !blocks[last].layers.empty() &&
           stack_of(blocks[last]) == stack_of(blocks[first])) {
      ++last;
    }
    std::map<std::int64_t, std::uint32_t> which;  // layer → block
    for (std::uint32_t b = first; b < last; ++b) {
      for (const std::int64_t layer : blocks[b].layers) which.emplace(layer, b);
    }
    if (which.empty()) order.push_back(first);
    for (const auto& [layer, block] : which) order.push_back(block);
    first = last;
  }
  return order;
}

Seconds sum(std::span<const Seconds> times) { return std::accumulate(times.begin(), times.end(), Seconds(0)); }

}  // namespace

std::vector<std::int64_t> layers_of_stages(std::int64_t layers, std::int64_t stages) {
  MLOSIM_CHECK(layers >= 1 && stages >= 1);
  std::vector<std::int64_t> counts;
  for (const StageLayers& stage : deal_layers(layers, stages)) counts.push_back(stage.end - stage.first);
  return counts;
}

std::vector<InferenceStage> deal_stages(const graph::Graph& graph, std::int64_t stages) {
  const std::vector<std::uint32_t> order = blocks_in_order(graph);
  const auto is_layer = [&](std::uint32_t block) { return !graph.blocks[block].layers.empty(); };
  std::vector<InferenceStage> dealt(static_cast<std::size_t>(stages));
  const std::vector<std::int64_t> counts =
      layers_of_stages(std::max<std::int64_t>(1, std::count_if(order.begin(), order.end(), is_layer)), stages);
  std::size_t stage = 0;
  std::int64_t taken = 0;
  for (const std::uint32_t block : order) {
    while (is_layer(block) && taken == counts[stage]) {
      ++stage;
      taken = 0;
    }
    if (is_layer(block)) ++taken;
    dealt[stage].blocks.push_back(block);
  }
  for (std::size_t s = 0; s < dealt.size(); ++s) {
    dealt[s].is_first = s == 0;
    dealt[s].is_last = s + 1 == dealt.size();
  }
  return dealt;
}

MicroBatches MicroBatches::of(std::int64_t batch, std::int64_t stages) {
  const std::int64_t size = (batch + stages - 1) / stages;
  return {.size = size, .count = (batch + size - 1) / size};
}

Seconds time_through(std::span<const Seconds> stage, std::int64_t count) {
  return sum(stage) + static_cast<double>(count - 1) * *std::max_element(stage.begin(), stage.end());
}

Seconds time_of_round(std::span<const Seconds> stage, std::int64_t count) {
  return std::max(static_cast<double>(count) * *std::max_element(stage.begin(), stage.end()), sum(stage));
}

}  // namespace mlosim::plan
