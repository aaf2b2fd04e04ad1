#include "sim/net/nccl_choice.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

using spec::NcclAlgorithm;
using spec::NcclProtocol;
using work::Collective;
using work::CollectiveKind;

class NcclChoiceTest : public testing::Test {
 protected:
  NcclChoice choose(const std::string& family, const Collective& collective) const {
    return choose_nccl(collective, library_, library_.generation_of(family));
  }
  NcclChoice all_reduce(const std::string& family, double bytes, std::int64_t ranks,
                        work::DType dtype = work::DType::bf16) const {
    return choose(family, {.kind = CollectiveKind::all_reduce, .bytes = Bytes(bytes), .ranks = ranks, .dtype = dtype});
  }
  // Where an all-reduce of two ranks leaves LL, by bisection.
  double end_of_ll(const std::string& family) const {
    double low = 1e4, high = 1e8;
    while (high / low > 1.0001) {
      const double middle = std::sqrt(low * high);
      (all_reduce(family, middle, 2).protocol == NcclProtocol::ll ? low : high) = middle;
    }
    return low;
  }

  const spec::RingLibrary library_ = *read_library("nccl").ring;
};

TEST_F(NcclChoiceTest, TwoRanksLeaveLlWhereTheTablesSay) {
  // 7.4 us of base and hops against 1/llMaxBw - 1/(ring bandwidth).
  EXPECT_NEAR(end_of_ll("ampere"), 7.4e-6 / (1 / 87.7e9 - 1 / 240e9), 2e3);
  EXPECT_NEAR(end_of_ll("ampere"), 1.02e6, 0.01e6);
  EXPECT_NEAR(end_of_ll("hopper"), 1.7e6, 0.02e6);
  EXPECT_NEAR(end_of_ll("blackwell"), 7.4e-6 / (1 / 282e9 - 1 / 700e9), 4e3);
}

TEST_F(NcclChoiceTest, LongMessagesTakeSimpleOnARing) {
  for (const char* family : {"volta", "ampere", "hopper", "blackwell"}) {
    const NcclChoice choice = choose(family, {.kind = CollectiveKind::all_gather, .bytes = Bytes(1e9), .ranks = 8});
    EXPECT_EQ(choice.algorithm, NcclAlgorithm::ring) << family;
    EXPECT_EQ(choice.protocol, NcclProtocol::simple) << family;
  }
}

TEST_F(NcclChoiceTest, EightH100KeepLlToOneMebibyteAndReduceInTheSwitchFromTwo) {
  EXPECT_EQ(all_reduce("hopper", 1048576, 8).algorithm, NcclAlgorithm::ring);
  EXPECT_EQ(all_reduce("hopper", 1048576, 8).protocol, NcclProtocol::ll);
  EXPECT_EQ(all_reduce("hopper", 2097152, 8).algorithm, NcclAlgorithm::nvls);
}

TEST_F(NcclChoiceTest, SwitchesReduceFromFiveHopperRanksAndFromSixBlackwellRanks) {
  EXPECT_NE(all_reduce("hopper", 1e9, 4).algorithm, NcclAlgorithm::nvls);
  EXPECT_EQ(all_reduce("hopper", 1e9, 5).algorithm, NcclAlgorithm::nvls);
  EXPECT_NE(all_reduce("blackwell", 1e9, 5).algorithm, NcclAlgorithm::nvls);
  EXPECT_EQ(all_reduce("blackwell", 1e9, 6).algorithm, NcclAlgorithm::nvls);
  EXPECT_NE(all_reduce("ampere", 1e9, 8).algorithm, NcclAlgorithm::nvls);
}

TEST_F(NcclChoiceTest, SwitchesDoNotReduceIntegersNorEightBitFloats) {
  EXPECT_EQ(all_reduce("hopper", 1e9, 8, work::DType::int8).algorithm, NcclAlgorithm::ring);
  EXPECT_EQ(all_reduce("hopper", 1e9, 8, work::DType::fp8).algorithm, NcclAlgorithm::ring);
  EXPECT_EQ(all_reduce("hopper", 1e9, 8, work::DType::fp32).algorithm, NcclAlgorithm::nvls);
}

TEST_F(NcclChoiceTest, BlackwellLeavesLl128OutOfShortRingsFromVersion229) {
  const spec::RingLibrary older = *read_library("nccl", "2.27").ring;
  const Collective gather{.kind = CollectiveKind::all_gather, .bytes = Bytes(16 << 20), .ranks = 8};
  const Collective reduce{.kind = CollectiveKind::all_reduce, .bytes = Bytes(8 << 20), .ranks = 4};
  for (const Collective& c : {gather, reduce}) {
    EXPECT_EQ(choose("blackwell", c).protocol, NcclProtocol::simple);
    EXPECT_EQ(choose_nccl(c, older, older.generation_of("blackwell")).protocol, NcclProtocol::ll128);
  }
  EXPECT_EQ(all_reduce("blackwell", 16 << 20, 8, work::DType::int8).protocol, NcclProtocol::ll128);
}

TEST_F(NcclChoiceTest, WhatIsChosenIsPredictedNoSlowerThanAnyRingOrTree) {
  for (const char* family : {"volta", "ampere", "hopper"}) {
    for (double bytes = 64; bytes < 1e10; bytes *= 3) {
      for (const std::int64_t ranks : {2, 3, 8, 16}) {
        const Collective c{.kind = CollectiveKind::all_reduce, .bytes = Bytes(bytes), .ranks = ranks};
        const spec::NcclGeneration& generation = library_.generation_of(family);
        const Seconds chosen = predict_nccl(choose(family, c), c, library_, generation);
        for (const NcclAlgorithm algorithm : {NcclAlgorithm::ring, NcclAlgorithm::tree}) {
          for (const NcclProtocol protocol : spec::kNcclProtocols) {
            EXPECT_LE(chosen, predict_nccl({algorithm, protocol}, c, library_, generation));
          }
        }
      }
    }
  }
}

TEST_F(NcclChoiceTest, AFamilyWithoutTablesTakesTheFallback) {
  EXPECT_EQ(&library_.generation_of("rubin"), &library_.generation_of(library_.fallback));
}

TEST_F(NcclChoiceTest, WorkstationChipsShareTheTablesOfTheirComputeCapability) {
  EXPECT_EQ(library_.generation_of("ampere_ga102").ll_bandwidth, library_.generation_of("ampere").ll_bandwidth);
  EXPECT_EQ(library_.generation_of("turing").ll_bandwidth, library_.generation_of("volta").ll_bandwidth);
}

}  // namespace
}  // namespace mlosim::net
