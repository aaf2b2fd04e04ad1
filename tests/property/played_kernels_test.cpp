// Kernels played tile by tile keep to the bounds, and better hardware does not make them slower.
//
// Schedulers have anomalies that no model of one can be without: CTAs are dispatched greedily, a cache that keeps
// more lets CTAs run apart, and more units have more rows in flight than a cache keeps. kAnomaly is what these may
// cost. Where better hardware makes the library take another plan, by an estimate of its own or by a rule (split keys
// until all units have work), its choice may cost kChoice.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/machines.hpp"

namespace mlosim::property {
namespace {

using spec::ChipSpec;

constexpr double kAnomaly = 0.1, kChoice = 0.5;

std::vector<std::string> played_chips() {
  return {"v100_sxm2_32gb", "a100_sxm_80gb",    "h100_sxm", "b200_sxm", "l40s",
          "mi300x",         "gpu_next_chiplet", "tpu_v4",   "tpu_v6e"};
}

using Improve = std::function<void(ChipSpec&, double)>;

std::vector<std::pair<std::string, Improve>> improvements() {
  return {
      {"device memory", [](ChipSpec& c, double f) { c.levels.back().bandwidth *= f; }},
      {"cache capacity",
       [](ChipSpec& c, double f) {
         for (spec::MemoryLevel& level : c.levels)
           if (level.policy == spec::Policy::cache) level.capacity *= f;
       }},
      {"cache bandwidth",
       [](ChipSpec& c, double f) {
         for (spec::MemoryLevel& level : c.levels)
           if (level.policy == spec::Policy::cache) level.bandwidth *= f;
       }},
      {"units", [](ChipSpec& c, double f) { c.units = static_cast<std::int64_t>(static_cast<double>(c.units) * f); }},
      {"clock", [](ChipSpec& c, double f) { c.clock *= f; }}};
}

TEST(PlayedKernels, AreFiniteAndNotBelowAnyBound) {
  for (const std::string& name : played_chips()) {
    const spec::Hardware hardware = hardware_of(name);
    for (const KernelCase& c : kernel_cases(hardware.system.chip)) {
      const chip::KernelPrice p = price(c.op, c.state, hardware, chip::Fidelity::event);
      EXPECT_TRUE(std::isfinite(p.time.si()) && p.time > Seconds(0)) << c.name;
      EXPECT_GE(p.time.si(), p.bounds.largest().si()) << c.name;
      EXPECT_GE(p.overhead.si(), 0) << c.name;
      EXPECT_LE(p.overhead.si(), p.time.si() * (1 + 1e-9)) << c.name;
      EXPECT_GE(p.plan.cache_hit_rate, 0) << c.name;
      EXPECT_LE(p.plan.cache_hit_rate, 1 + 1e-9) << c.name;
    }
  }
}

TEST(PlayedKernels, BetterHardwareIsNotSlower) {
  for (const std::string& name : played_chips()) {
    const spec::Hardware base = hardware_of(name);
    const std::vector<KernelCase> cases = kernel_cases(base.system.chip);
    std::vector<chip::KernelPrice> before;
    for (const KernelCase& c : cases) before.push_back(price(c.op, c.state, base, chip::Fidelity::event));
    for (const auto& [knob, improve] : improvements()) {
      int failures = 0;
      spec::Hardware better = base;
      improve(better.system.chip, 2);
      for (std::size_t i = 0; i < cases.size(); ++i) {
        const chip::KernelPrice after = price(cases[i].op, cases[i].state, better, chip::Fidelity::event);
        const bool same_plan = chip::describe(after.plan) == chip::describe(before[i].plan);
        if (after.time <= before[i].time * (1 + (same_plan ? kAnomaly : kChoice)) || ++failures > 3) continue;
        ADD_FAILURE() << cases[i].name << ": twice the " << knob << " makes it "
                      << 100 * (after.time / before[i].time - 1) << " % slower: " << chip::describe(before[i].plan)
                      << " in " << before[i].time.si() * 1e6 << " us, then " << chip::describe(after.plan) << " in "
                      << after.time.si() * 1e6 << " us";
      }
      if (failures > 3)
        ADD_FAILURE() << name << ": " << failures << " kernels in all are slower with twice the " << knob;
    }
  }
}

TEST(PlayedKernels, AreTheSameEachTime) {
  const spec::Hardware hardware = hardware_of("h100_sxm");
  for (const KernelCase& c : kernel_cases(hardware.system.chip)) {
    const chip::KernelPrice a = price(c.op, c.state, hardware, chip::Fidelity::event),
                            b = price(c.op, c.state, hardware, chip::Fidelity::event);
    EXPECT_EQ(a.time.si(), b.time.si()) << c.name;
    EXPECT_EQ(a.events, b.events) << c.name;
  }
}

}  // namespace
}  // namespace mlosim::property
