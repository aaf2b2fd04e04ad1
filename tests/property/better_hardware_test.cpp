// Better hardware is never slower: each parameter of a chip by itself, improved by a little and by a lot.
//
// One exception is the library's, not the model's: it takes a split-K plan only where that wins by 2 % and the chip's
// split_preference. Where an improvement lifts an unsplit plan over that threshold, the unsplit one is taken although
// the split one would still be faster by as much. Exactly that much is allowed, and only where the plan changed that
// way.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/gemm_kernels.hpp"
#include "tests/property/machines.hpp"

namespace mlosim::property {
namespace {

using spec::ChipSpec;
using Improve = std::function<void(ChipSpec&, double)>;

constexpr double kSplitMargin = 1.02;

// Every knob with what makes it better; a factor above 1 improves.
std::vector<std::pair<std::string, Improve>> improvements(const ChipSpec& chip) {
  std::vector<std::pair<std::string, Improve>> all;
  for (std::size_t i = 0; i < chip.levels.size(); ++i) {
    all.emplace_back(chip.levels[i].name + ".bandwidth", [i](ChipSpec& c, double f) { c.levels[i].bandwidth *= f; });
    all.emplace_back(chip.levels[i].name + ".latency", [i](ChipSpec& c, double f) { c.levels[i].latency /= f; });
  }
  all.emplace_back("clock", [](ChipSpec& c, double f) { c.clock *= f; });
  all.emplace_back("matrix", [](ChipSpec& c, double f) {
    for (auto& [format, rate] : c.matrix) rate *= f;
  });
  all.emplace_back("vector", [](ChipSpec& c, double f) { c.vector *= f; });
  all.emplace_back("exponentials", [](ChipSpec& c, double f) { c.exponentials *= f; });
  all.emplace_back("power.cap", [](ChipSpec& c, double f) { c.power.cap *= f; });
  all.emplace_back("power.device_memory", [](ChipSpec& c, double f) { c.power.device_memory /= f; });
  all.emplace_back("power.matrix", [](ChipSpec& c, double f) {
    for (auto& [format, energy] : c.power.matrix) energy /= f;
  });
  all.emplace_back("gemm's fixed times", [](ChipSpec& c, double f) {
    for (spec::GemmParameters* g : gemm_kernels(c))
      g->fixed /= f, g->prologue /= f, g->epilogue /= f, g->split_reduction /= f;
  });
  all.emplace_back("gemm.k_step", [](ChipSpec& c, double f) {
    for (spec::GemmParameters* g : gemm_kernels(c)) g->k_step /= f;
  });
  all.emplace_back("gemm.epilogue_store", [](ChipSpec& c, double f) {
    for (spec::GemmParameters* g : gemm_kernels(c)) g->epilogue_store *= f;
  });
  all.emplace_back("gemm.unit_load", [](ChipSpec& c, double f) {
    for (spec::GemmParameters* g : gemm_kernels(c)) g->unit_load *= f;
  });
  all.emplace_back("gemm.stages_in_flight", [](ChipSpec& c, double f) {
    for (spec::GemmParameters* g : gemm_kernels(c)) g->stages_in_flight *= f;
  });
  all.emplace_back("attention's fixed times", [](ChipSpec& c, double f) {
    const auto quicken_prefill = [f](spec::AttentionPrefillParameters& p) {
      p.fixed /= f, p.fixed_encoder /= f, p.tile_overhead /= f, p.key_step /= f;
    };
    const auto quicken_decode = [f](spec::AttentionDecodeParameters& p) {
      p.fixed /= f, p.tile_overhead /= f, p.split_reduction /= f, p.key_step /= f;
    };
    for (auto* kernels : {&c.prefill, &c.mla_prefill}) {
      quicken_prefill(kernels->standard);
      for (auto& special : kernels->specials) quicken_prefill(special.parameters);
    }
    for (auto* kernels : {&c.decode, &c.mla_decode}) {
      quicken_decode(kernels->standard);
      for (auto& special : kernels->specials) quicken_decode(special.parameters);
    }
  });
  all.emplace_back("moe's fixed times", [](ChipSpec& c, double f) {
    c.moe.standard.fixed /= f, c.moe.standard.tile_overhead /= f;
    for (auto& special : c.moe.specials) special.parameters.fixed /= f, special.parameters.tile_overhead /= f;
  });
  all.emplace_back("elementwise's fixed times", [](ChipSpec& c, double f) {
    c.elementwise.standard.fixed /= f;
    for (auto& [kind, stream] : c.elementwise.kinds) stream.fixed /= f;
  });
  all.emplace_back("elementwise's bytes in flight", [](ChipSpec& c, double f) {
    c.elementwise.standard.in_flight *= f;
    for (auto& [kind, stream] : c.elementwise.kinds) stream.in_flight *= f;
  });
  all.emplace_back("systolic's fixed times", [](ChipSpec& c, double f) {
    c.systolic.fixed /= f;
    c.systolic.weight_load /= f;
    c.systolic.result /= f;
    c.systolic.far_result /= f;
    c.systolic.step /= f;
    c.systolic.decode_per_sequence /= f;
    c.systolic.attention_fixed /= f;
  });
  return all;
}

// The longest that the improved chip may take.
Seconds longest(const chip::KernelPrice& before, const chip::KernelPrice& after, const ChipSpec& chip) {
  constexpr double kRounding = 1 + 1e-12;
  if (before.plan.split > 1 && after.plan.split == 1)
    return before.time * kSplitMargin + largest_split_preference(chip);
  return before.time * kRounding;
}

TEST(BetterHardware, IsNeverSlower) {
  for (const std::string& name : chip_names()) {
    const spec::Hardware base = hardware_of(name);
    const std::vector<KernelCase> cases = kernel_cases(base.system.chip);
    std::vector<chip::KernelPrice> before;
    for (const KernelCase& c : cases) before.push_back(price(c.op, c.state, base));
    std::map<std::string, int> failures;
    for (const auto& [knob, improve] : improvements(base.system.chip)) {
      for (const double factor : {1.01, 1.3, 4.0}) {
        spec::Hardware better = base;
        improve(better.system.chip, factor);
        for (std::size_t i = 0; i < cases.size(); ++i) {
          const chip::KernelPrice after = price(cases[i].op, cases[i].state, better);
          if (after.time <= longest(before[i], after, base.system.chip) || ++failures[knob] > 3) continue;
          ADD_FAILURE() << cases[i].name << ": " << factor << " x better " << knob << " makes it "
                        << 100 * (after.time / before[i].time - 1) << " % slower: " << chip::describe(before[i].plan)
                        << " in " << before[i].time.si() * 1e6 << " us, then " << chip::describe(after.plan) << " in "
                        << after.time.si() * 1e6 << " us";
        }
      }
    }
    for (const auto& [knob, count] : failures) {
      if (count > 3) ADD_FAILURE() << name << ": " << count << " kernels in all are slower with a better " << knob;
    }
  }
}

}  // namespace
}  // namespace mlosim::property
