#include "sim/machine/price_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/net/collective.hpp"
#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::machine {
namespace {

using testing::HasSubstr;

const work::Collective kAllReduce{.kind = work::CollectiveKind::all_reduce, .bytes = Bytes(64 << 20), .ranks = 8};
const work::Gemm kGemm{.m = 4096, .n = 4096, .k = 4096};

class PriceBookTest : public testing::Test {
 protected:
  PriceBook book(chip::Fidelity fidelity) const { return PriceBook(hardware, fidelity, {}, true); }

  spec::SmallLibrary small;
  spec::Hardware hardware = small.hardware("toy_8");
};

TEST_F(PriceBookTest, EqualOperatorsArePricedOnce) {
  PriceBook prices = book(chip::Fidelity::analytic);
  const TaskPrice& first = prices.price(kGemm);
  const TaskPrice& collective = prices.price(kAllReduce);
  EXPECT_EQ(&prices.price(work::Gemm(kGemm)), &first);
  EXPECT_EQ(&prices.price(work::Collective(kAllReduce)), &collective);
}

TEST_F(PriceBookTest, OperatorsThatDifferInAnythingAreNotEqual) {
  PriceBook prices = book(chip::Fidelity::analytic);
  work::Gemm other = kGemm;
  other.weights = work::DType::fp8;
  EXPECT_NE(&prices.price(other), &prices.price(kGemm));
  work::Collective wider = kAllReduce;
  wider.ranks = 4;
  EXPECT_NE(&prices.price(wider), &prices.price(kAllReduce));
}

TEST_F(PriceBookTest, AKernelIsPricedByTheChip) {
  PriceBook prices = book(chip::Fidelity::analytic);
  const TaskPrice& price = prices.price(kGemm);
  const chip::KernelPrice kernel = chip::price_kernel(
      kGemm, {.chip = hardware.system.chip, .runtime = hardware.runtime, .operands = {}}, chip::Fidelity::analytic);
  EXPECT_EQ(price.time, kernel.time);
  EXPECT_EQ(price.bound, kernel.bounds.largest());
  EXPECT_EQ(price.dynamic_energy, kernel.energy - hardware.system.chip.power.static_power() * kernel.time);
  EXPECT_EQ(price.detail, chip::describe(kernel.plan));
  EXPECT_FALSE(price.is_collective);
}

TEST_F(PriceBookTest, ACollectiveIsPricedByTheNetwork) {
  PriceBook prices = book(chip::Fidelity::analytic);
  const TaskPrice& price = prices.price(kAllReduce);
  const net::CollectivePrice collective = net::estimate_collective(kAllReduce, hardware.system, nullptr);
  EXPECT_EQ(price.time, collective.time);
  EXPECT_EQ(price.bound, collective.bound);
  EXPECT_EQ(price.detail, collective.algorithm);
  EXPECT_TRUE(price.is_collective);
  // What its kernel moves through the device memory; the toy's links say nothing of theirs.
  EXPECT_EQ(price.dynamic_energy, collective.kernel.device_bytes * hardware.system.chip.power.device_memory);
  EXPECT_EQ(price.fabric_energy, Joules(0));
}

TEST_F(PriceBookTest, ARooflineIsTheBoundAndNothingIsBelowIt) {
  PriceBook roofline = book(chip::Fidelity::roofline), analytic = book(chip::Fidelity::analytic);
  for (const work::Operator& op : {work::Operator(kGemm), work::Operator(kAllReduce),
                                   work::Operator(work::Sampling{.rows = 64, .vocab = 128000})}) {
    EXPECT_EQ(roofline.price(op).time, roofline.price(op).bound);
    EXPECT_GE(analytic.price(op).time, roofline.price(op).time);
    EXPECT_GE(analytic.price(op).time, analytic.price(op).bound);
  }
}

TEST_F(PriceBookTest, AShortCollectiveWaitsForLatencyAndALongOneForTheLinks) {
  PriceBook prices = book(chip::Fidelity::analytic);
  work::Collective small_one = kAllReduce, large = kAllReduce;
  small_one.bytes = Bytes(1024);
  large.bytes = Bytes(4e9);
  EXPECT_EQ(prices.price(small_one).limiter, chip::Resource::link_latency);
  EXPECT_EQ(prices.price(large).limiter, chip::Resource::link_bandwidth);
}

TEST_F(PriceBookTest, AnOperatorThatTheMachineCannotRunIsAWrongInput) {
  PriceBook prices = book(chip::Fidelity::analytic);
  work::Gemm gemm = kGemm;
  gemm.activations = gemm.weights = work::DType::nvfp4;
  EXPECT_THROW(prices.price(gemm), spec::InputError);
  work::Collective wide = kAllReduce;
  wide.ranks = 13;
  EXPECT_THROW(prices.price(wide), spec::InputError);
}

}  // namespace
}  // namespace mlosim::machine
