// More work is never faster: every dimension of an operator doubled and quadrupled.
//
// Two exceptions are the libraries'. GEMM takes a split-K plan only where that wins by 2 % and the chip's
// split_preference: an unsplit plan may be slower by as much than the split one of a larger problem. And decode
// attention splits the keys of few sequences over idle units, whatever that gains, and pays a reduction for it. Where a
// larger batch fills the units without a split, it may be faster, but by no more than what splitting costs: the
// reduction, the second start and end of a CTA that has half of the keys, and the partial results, written and read as
// fp32.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tests/property/gemm_kernels.hpp"
#include "tests/property/machines.hpp"

namespace mlosim::property {
namespace {

// The operator with one dimension enlarged, by the dimension's name.
std::vector<std::pair<std::string, work::Operator>> enlarged(const work::Operator& op, std::int64_t f) {
  std::vector<std::pair<std::string, work::Operator>> all;
  const auto add = [&](const char* dimension, auto changed, auto change) {
    change(changed);
    all.emplace_back(dimension, changed);
  };
  std::visit(
      [&](const auto& o) {
        using O = std::decay_t<decltype(o)>;
        if constexpr (requires { o.batch; }) add("batch", o, [&](O& x) { x.batch *= f; });
        if constexpr (requires { o.m; }) {
          add("m", o, [&](O& x) { x.m *= f; });
          add("n", o, [&](O& x) { x.n *= f; });
          add("k", o, [&](O& x) { x.k *= f; });
        }
        if constexpr (requires { o.seq_q; }) add("seq", o, [&](O& x) { x.seq_q *= f, x.seq_kv *= f; });
        if constexpr (requires { o.seq_kv; }) add("seq_kv", o, [&](O& x) { x.seq_kv *= f; });
        if constexpr (requires { o.kv_heads; })
          add("kv_heads and heads", o, [&](O& x) { x.kv_heads *= f, x.heads *= f; });
        else if constexpr (requires { o.heads; })
          add("heads", o, [&](O& x) { x.heads *= f; });
        if constexpr (requires { o.tokens; }) add("tokens", o, [&](O& x) { x.tokens *= f; });
        if constexpr (requires { o.inter; }) {
          add("inter", o, [&](O& x) { x.inter *= f; });
          add("hidden", o, [&](O& x) { x.hidden *= f; });
        }
        if constexpr (std::is_same_v<O, work::Elementwise>)
          add("rows", o,
              [&](O& x) { x.rows *= f, x.bytes_in *= static_cast<double>(f), x.bytes_out *= static_cast<double>(f); });
        if constexpr (std::is_same_v<O, work::Sampling>) {
          add("rows", o, [&](O& x) { x.rows *= f; });
          add("vocab", o, [&](O& x) { x.vocab *= f; });
        }
      },
      op);
  return all;
}

// The least that the larger operator may take.
Seconds shortest(const work::Operator& op, const chip::KernelPrice& before, const chip::KernelPrice& after,
                 const spec::ChipSpec& chip) {
  constexpr double kRounding = 1 - 1e-12;
  constexpr double kSplitMargin = 1.02;
  if (std::holds_alternative<work::Gemm>(op) && before.plan.split == 1 && after.plan.split > 1)
    return (before.time - largest_split_preference(chip)) / kSplitMargin;
  const auto* attention = std::get_if<work::AttentionDecode>(&op);
  const auto* mla = std::get_if<work::MlaDecode>(&op);
  if ((!attention && !mla) || before.plan.split == 1 || after.plan.split > 1) return before.time * kRounding;
  const spec::AttentionDecodeParameters& parameters = mla ? chip.mla_decode.standard : chip.decode.standard;
  const auto results = static_cast<double>(mla ? mla->heads * (mla->kv_rank + 2)
                                               : attention->heads / attention->kv_heads * (attention->head_dim + 2));
  const Bytes partial = Bytes(2 * 4) * before.plan.tiles * results;
  return before.time - parameters.split_reduction - 2 * parameters.tile_overhead / chip.clock -
         partial / (chip.device_memory().bandwidth * parameters.memory_efficiency);
}

TEST(MoreWork, IsNeverFaster) {
  for (const std::string& name : chip_names()) {
    const spec::Hardware hardware = hardware_of(name);
    std::map<std::string, int> failures;
    for (const KernelCase& c : kernel_cases(hardware.system.chip)) {
      const chip::KernelPrice before = price(c.op, c.state, hardware);
      for (const std::int64_t factor : {2, 4}) {
        for (const auto& [dimension, op] : enlarged(c.op, factor)) {
          const chip::KernelPrice after = price(op, c.state, hardware);
          if (after.time >= shortest(c.op, before, after, hardware.system.chip)) continue;
          const std::string kind = std::string(work::name_of(c.op)) + "." + dimension;
          if (++failures[kind] > 2) continue;
          ADD_FAILURE() << c.name << ": " << factor << " x " << dimension << " makes it "
                        << 100 * (1 - after.time / before.time) << " % faster: " << chip::describe(before.plan)
                        << " in " << before.time.si() * 1e6 << " us, then " << chip::describe(after.plan) << " in "
                        << after.time.si() * 1e6 << " us";
        }
      }
    }
    for (const auto& [kind, count] : failures) {
      if (count > 2) ADD_FAILURE() << name << ": " << count << " kernels in all are faster with more " << kind;
    }
  }
}

}  // namespace
}  // namespace mlosim::property
