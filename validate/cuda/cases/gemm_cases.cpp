// Matrix products through cuBLASLt: the layers of the zoo, powers of two, sizes that fit no tile, and batches. Host
// half; device/gemm_bench.cpp is the device half.

#include <algorithm>
#include <stdexcept>

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/operation/gemm_shape.hpp"
#include "validate/cuda/operation/zoo_layers.hpp"

namespace mlosim::measure {
namespace {

const std::vector<std::string> kDTypes = {"bf16", "fp8", "fp16", "int8", "tf32", "fp32"};

constexpr Seconds kLongestLaunch{0.25};

// "4096x14336"
std::vector<std::int64_t> sizes_of(const std::string& text, std::size_t count) {
  std::vector<std::int64_t> sizes;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('x', begin), text.size());
    sizes.push_back(parse_count(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (sizes.size() != count || std::find(sizes.begin(), sizes.end(), 0) != sizes.end())
    throw std::invalid_argument("'" + text + "' is not " + std::to_string(count) + " sizes with x between them");
  return sizes;
}

Planned plan_product(const GemmShape& shape, const DeviceFacts& facts) {
  if (shape.dtype == DType::fp8 && facts.capability < 89) return Skip{"no fp8 before compute capability 8.9"};
  Plan plan = plan_gemm(shape, facts);
  if (plan.launch_guess > kLongestLaunch) return Skip{"one launch alone would take longer than is worth it"};
  return plan;
}

std::vector<std::string> names_of(const std::vector<Weight>& weights) {
  std::vector<std::string> names;
  for (const Weight& weight : weights) names.push_back(std::to_string(weight.n) + "x" + std::to_string(weight.k));
  return names;
}

// Squares, and a coarser grid that is far from square too; without the layers of the zoo, so that no row comes twice.
std::vector<Weight> power_of_two_weights() {
  std::vector<Weight> weights;
  for (const std::int64_t size : geometric(64, 65536)) weights.push_back({size, size});
  for (const std::int64_t n : geometric(256, 65536, 4))
    for (const std::int64_t k : geometric(256, 65536, 4))
      if (n != k) weights.push_back({n, k});
  const std::vector<Weight> zoo = zoo_weights();
  std::erase_if(weights, [&](const Weight& w) { return std::binary_search(zoo.begin(), zoo.end(), w); });
  return weights;
}

// Prime, odd, one beside a tile's edge, and multiples of 8 that are none of 128.
const std::vector<Weight> kAwkwardWeights = {{1000, 1000}, {1023, 1023}, {1025, 4096}, {4096, 1025},
                                             {4097, 4097}, {4104, 4104}, {5000, 5000}, {6152, 3080},
                                             {7919, 7919}, {4096, 4096}, {8192, 8192}, {2880, 2888}};
const std::vector<std::int64_t> kAwkwardRows = {3, 7, 17, 33, 100, 129, 200, 257, 1000, 1025, 3000, 4097, 10000, 30001};

// m x n x k: scores and context of unfused attention, the projections that MLA absorbs, and plain ones.
const std::vector<std::string> kBatchedProducts = {
    "1x2048x128",  "1x128x2048",  "16x512x128",  "16x128x512",    "128x128x64",    "128x64x128",  "512x512x128",
    "512x128x512", "256x512x128", "256x128x512", "2048x2048x128", "2048x128x2048", "256x256x256", "1024x1024x1024"};

Case linear_case(std::string name, std::string summary, const std::vector<Weight>& weights,
                 const std::vector<std::int64_t>& rows) {
  return {.name = std::move(name),
          .group = Group::gemm,
          .summary = std::move(summary),
          .axes = {{"dtype", kDTypes}, {"weight", names_of(weights)}, integer_axis("m", rows)},
          .keys = gemm_keys(),
          .results = gemm_results(),
          .plan = [](const State& state, const DeviceFacts& facts, const Options&) -> Planned {
            const std::vector<std::int64_t> weight = sizes_of(state.text("weight"), 2);
            return plan_product(
                {.dtype = dtype_of(state.text("dtype")), .m = state.integer("m"), .n = weight[0], .k = weight[1]},
                facts);
          },
          .absent = ""};
}

Case batched_case() {
  return {.name = "gemm.batched",
          .group = Group::gemm,
          .summary = "strided batches of small products (m x n x k) through cuBLASLt",
          .axes = {{"dtype", kDTypes}, integer_axis("batch", {8, 32, 128, 512}), {"product", kBatchedProducts}},
          .keys = gemm_keys(),
          .results = gemm_results(),
          .plan = [](const State& state, const DeviceFacts& facts, const Options&) -> Planned {
            const std::vector<std::int64_t> product = sizes_of(state.text("product"), 3);
            return plan_product({.dtype = dtype_of(state.text("dtype")),
                                 .batch = state.integer("batch"),
                                 .m = product[0],
                                 .n = product[1],
                                 .k = product[2]},
                                facts);
          },
          .absent = ""};
}

}  // namespace

std::vector<Case> gemm_cases() {
  const std::vector<std::int64_t> rows = geometric(1, 32768);
  return {linear_case("gemm.zoo", "layers of the zoo's models at tp 1 to 8 (weight: n x k) through cuBLASLt",
                      zoo_weights(), rows),
          linear_case("gemm.power_of_two", "other powers of two (weight: n x k) through cuBLASLt",
                      power_of_two_weights(), rows),
          linear_case("gemm.awkward", "sizes that fit no tile (weight: n x k) through cuBLASLt", kAwkwardWeights,
                      kAwkwardRows),
          batched_case()};
}

}  // namespace mlosim::measure
