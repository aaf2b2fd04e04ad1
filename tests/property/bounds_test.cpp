// No prediction is below a bound, for every chip, operator, format and cache state: the roofline, the multiplications
// at the highest clock, the bytes that no cache can hold, the power that may be drawn.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/property/machines.hpp"

namespace mlosim::property {
namespace {

TEST(Bounds, EveryTimeIsFiniteAndNotBelowTheRoofline) {
  for (const std::string& name : chip_names()) {
    const spec::Hardware hardware = hardware_of(name);
    for (const KernelCase& c : kernel_cases(hardware.system.chip)) {
      const Seconds analytic = price(c.op, c.state, hardware).time;
      const Seconds roofline = price(c.op, c.state, hardware, chip::Fidelity::roofline).time;
      EXPECT_TRUE(std::isfinite(analytic.si()) && analytic > Seconds(0)) << c.name;
      EXPECT_GE(analytic.si(), roofline.si()) << c.name;
      EXPECT_GE(roofline.si(), 0) << c.name;
    }
  }
}

TEST(Bounds, TheMultiplicationsTakeAtLeastTheirTimeAtTheHighestClock) {
  for (const std::string& name : chip_names()) {
    const spec::Hardware hardware = hardware_of(name);
    const spec::ChipSpec& chip = hardware.system.chip;
    for (const KernelCase& c : kernel_cases(chip)) {
      const work::OpWork work = work::work_of(c.op);
      if (work.matrix <= Flops(0)) continue;
      const double least = work.matrix.si() /
                           (chip.matrix.at(work.matrix_dtype).si() * static_cast<double>(chip.units) * chip.clock.si());
      EXPECT_GE(price(c.op, c.state, hardware).time.si(), least * (1 - 1e-12)) << c.name;
    }
  }
}

// Whatever is touched between two uses besides what all on-chip memories together hold comes from the device memory.
TEST(Bounds, BytesThatNoCacheHoldsTakeAtLeastTheirTimeAtTheDeviceMemory) {
  for (const std::string& name : chip_names()) {
    const spec::Hardware hardware = hardware_of(name);
    const spec::ChipSpec& chip = hardware.system.chip;
    Bytes held;
    for (const spec::MemoryLevel& level : chip.levels) {
      if (level.policy != spec::Policy::memory)
        held += level.capacity * (level.sharing == spec::Sharing::unit ? static_cast<double>(chip.units) : 1.0);
    }
    for (const KernelCase& c : kernel_cases(chip)) {
      const work::OpWork work = work::work_of(c.op);
      const Seconds least = std::max(Bytes(0), work.bytes() - held) / chip.device_memory().bandwidth;
      EXPECT_GE(price(c.op, c.state, hardware).time.si(), least.si() * (1 - 1e-12)) << c.name;
    }
  }
}

TEST(Bounds, ABusyChipDrawsNoMoreThanItsCap) {
  for (const std::string& name : chip_names()) {
    const spec::Hardware hardware = hardware_of(name);
    int failures = 0;
    for (const KernelCase& c : kernel_cases(hardware.system.chip)) {
      if (!c.state.sustained) continue;
      const chip::KernelPrice p = price(c.op, c.state, hardware);
      const Watts drawn = p.energy / p.time;
      EXPECT_GE(drawn.si(), hardware.system.chip.power.static_power().si() * (1 - 1e-12)) << c.name;
      if (failures < kMostFailures && drawn > hardware.system.chip.power.cap * (1 + 1e-9)) {
        ++failures;
        ADD_FAILURE() << c.name << ": " << drawn.si() << " W of " << hardware.system.chip.power.cap.si() << " W";
      }
    }
  }
}

TEST(Bounds, PartsOfAPriceAreWithinIt) {
  for (const std::string& name : chip_names()) {
    const spec::Hardware hardware = hardware_of(name);
    for (const KernelCase& c : kernel_cases(hardware.system.chip)) {
      const chip::KernelPrice p = price(c.op, c.state, hardware);
      EXPECT_GE(p.overhead.si(), 0) << c.name;
      EXPECT_LE(p.overhead.si(), p.time.si()) << c.name;
      EXPECT_GE(p.plan.device_read.si(), 0) << c.name;
      EXPECT_GE(p.plan.device_written.si(), -1e-9) << c.name;
      EXPECT_GE(p.plan.kernels, 1) << c.name;
      EXPECT_GE(p.plan.active_units, 0) << c.name;
      EXPECT_LE(p.plan.active_units, static_cast<double>(hardware.system.chip.units)) << c.name;
    }
  }
}

}  // namespace
}  // namespace mlosim::property
