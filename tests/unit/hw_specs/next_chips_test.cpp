// Chips that do not exist: nothing in their files claims to be known, and each differs from what there is in what it is
// there to show.
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "sim/chip/kernel.hpp"
#include "sim/spec/hardware.hpp"
#include "tests/property/machines.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::property {
namespace {

using chip::Fidelity;

constexpr CacheState kWarm{.name = "warm", .operands = {}, .sustained = true};

Seconds time_on(const char* name, const work::Operator& op, Fidelity fidelity = Fidelity::event) {
  return price(op, kWarm, hardware_of(name), fidelity).time;
}

const work::Gemm kLarge{.m = 8192, .n = 8192, .k = 8192};
const work::Gemm kRagged{.m = 300, .n = 300, .k = 8192};
const work::AttentionDecode kDecode{.batch = 64, .seq_kv = 8192, .heads = 64, .kv_heads = 8};

TEST(NextChips, EveryNumberIsAssumed) {
  const std::regex kind(R"(kind: (\w+))");
  int numbers = 0;
  for (const auto& file : support::source_files({"hw_specs/chips/next"}, {".yaml"})) {
    const std::string text = support::read_text(support::source_dir() / file);
    for (std::sregex_iterator it(text.begin(), text.end(), kind), end; it != end; ++it, ++numbers)
      EXPECT_EQ((*it)[1], "assumed") << file;
  }
  EXPECT_GT(numbers, 40);
}

TEST(NextChips, FasterMemoryShowsInDecoding) {
  EXPECT_LT(time_on("gpu_next_hbm4", kDecode), 0.8 * time_on("b200_sxm", kDecode));
}

TEST(NextChips, LinksBetweenChipletsCostLargeProductsTime) {
  for (const Fidelity fidelity : {Fidelity::analytic, Fidelity::event})
    EXPECT_GT(time_on("gpu_next_chiplet", kLarge, fidelity), 1.05 * time_on("gpu_next_hbm4", kLarge, fidelity));
}

TEST(NextChips, LinksAsFastAsTheCacheCostNothingButLatency) {
  spec::Hardware hardware = hardware_of("gpu_next_chiplet");
  for (spec::MemoryLevel& level : hardware.system.chip.levels) {
    if (level.partition_link) level.partition_link = level.bandwidth;
  }
  const Seconds time = price(kLarge, kWarm, hardware, Fidelity::event).time;
  EXPECT_LT(time, 1.05 * time_on("gpu_next_hbm4", kLarge));
}

TEST(NextChips, LargerArraysHelpLargeProductsMoreThanRaggedOnes) {
  const double large = time_on("tpu_v7", kLarge) / time_on("tpu_next_mxu512", kLarge);
  const double ragged = time_on("tpu_v7", kRagged) / time_on("tpu_next_mxu512", kRagged);
  EXPECT_GT(large, 1.4);
  EXPECT_LT(ragged, 1.2);
}

}  // namespace
}  // namespace mlosim::property
