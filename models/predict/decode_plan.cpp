// `plan:` of an operator under `ops:`: the tiling that the author of a kernel has fixed.
//
//   plan: {tile: [128, 256, 64], stages: 4, split_k: 2, cluster: [2, 1]}
//
// What is wrong by itself is reported here; whether a chip can hold it is known to sim/chip alone.

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "models/predict/workload.hpp"

namespace mlosim::predict {
namespace {

constexpr std::int64_t kLargestSide = 1 << 20;  // of a tile: products of sides and stages are exact integers
constexpr std::int64_t kMostStages = 1024;
constexpr std::int64_t kLargestCluster = 16;  // CTAs that a GPU schedules together

std::int64_t limited(const spec::Node& node, std::int64_t count, std::int64_t most) {
  if (count <= most) return count;
  node.fail(fmt::format("{} is beyond what can be meant", count), fmt::format("at most {}", most));
  return 1;
}

// The counts of a list of `N`; all 0 where there is none or it is wrong.
template <std::size_t N>
std::array<std::int64_t, N> counts_at(spec::Node& plan, std::string_view key, std::int64_t most,
                                      std::string_view meaning, std::string_view example) {
  std::array<std::int64_t, N> counts{};
  spec::Node list = plan.child(key);
  if (!list.is_present()) return counts;
  if (!list.is_sequence()) {
    list.fail("expected a list of whole numbers", std::string(example));
    return counts;
  }
  std::vector<spec::Node> items = list.items();
  if (items.size() != N) {
    list.fail(fmt::format("expected {} whole numbers, {}, not {}", N, meaning, items.size()), std::string(example));
    return counts;
  }
  for (std::size_t i = 0; i < N; ++i) counts[i] = limited(items[i], items[i].as_count(), most);
  return counts;
}

}  // namespace

work::Tiling decode_plan(spec::Node node, const work::Gemm& gemm) {
  constexpr std::string_view kExample = "plan: {tile: [128, 256, 64], stages: 4, split_k: 2, cluster: [2, 1]}";
  work::Tiling tiling;
  if (!node.is_mapping() || node.value()->members.empty()) {
    node.fail("a plan says how a kernel is tiled", std::string(kExample));
    return tiling;
  }
  const auto tile = counts_at<3>(node, "tile", kLargestSide,
                                 "the rows and columns of the output that a CTA computes and the depth of a step",
                                 "tile: [128, 256, 64]");
  const auto cluster = counts_at<2>(node, "cluster", kLargestCluster, "CTAs along m and along n", "cluster: [2, 1]");
  tiling.tile_m = tile[0];
  tiling.tile_n = tile[1];
  tiling.tile_k = tile[2];
  tiling.cluster_m = cluster[0];
  tiling.cluster_n = cluster[1];
  if (cluster[0] * cluster[1] > kLargestCluster) {
    node.fail_at("cluster", fmt::format("{} CTAs are more than a chip schedules together", cluster[0] * cluster[1]),
                 fmt::format("at most {}", kLargestCluster));
  }
  if (node.has("stages")) {
    const spec::Node stages = node.child("stages");
    tiling.stages = limited(stages, stages.as_count(), kMostStages);
    if (!node.has("tile")) stages.fail("stages are of a tile's steps, and there is no tile", "tile: [128, 256, 64]");
  }
  if (node.has("split_k")) {
    const spec::Node split = node.child("split_k");
    tiling.split_k = split.as_count();
    const std::int64_t depth = std::max<std::int64_t>(1, tiling.tile_k), steps = (gemm.k - 1) / depth + 1;
    if (tiling.split_k > steps) {
      split.fail(fmt::format("{} parts are more than the {} steps of k", tiling.split_k, steps),
                 fmt::format("at most {}", steps));
    }
  }
  node.finish();
  return tiling;
}

}  // namespace mlosim::predict
