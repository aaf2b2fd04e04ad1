// More work is never faster: every dimension of an operator doubled and quadrupled.
//
// Where a dimension decides which kernel a library runs (a larger row tile, another plan), the larger problem may in truth
// be faster by what the better kernel gains; the models are made of costs that grow with every dimension, so none is.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

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
        if constexpr (requires { o.kv_heads; }) add("kv_heads and heads", o, [&](O& x) { x.kv_heads *= f, x.heads *= f; });
        else if constexpr (requires { o.heads; }) add("heads", o, [&](O& x) { x.heads *= f; });
        if constexpr (requires { o.tokens; }) add("tokens", o, [&](O& x) { x.tokens *= f; });
        if constexpr (requires { o.inter; }) {
          add("inter", o, [&](O& x) { x.inter *= f; });
          add("hidden", o, [&](O& x) { x.hidden *= f; });
        }
        if constexpr (std::is_same_v<O, work::Elementwise>) add("rows", o, [&](O& x) { x.rows *= f, x.bytes_in *= static_cast<double>(f), x.bytes_out *= static_cast<double>(f); });
        if constexpr (std::is_same_v<O, work::Sampling>) {
          add("rows", o, [&](O& x) { x.rows *= f; });
          add("vocab", o, [&](O& x) { x.vocab *= f; });
        }
      },
      op);
  return all;
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
          if (after.time.si() >= before.time.si() * (1 - 1e-12)) continue;
          const std::string kind = std::string(work::name_of(c.op)) + "." + dimension;
          if (++failures[kind] > 2) continue;
          ADD_FAILURE() << c.name << ": " << factor << " x " << dimension << " makes it " << 100 * (1 - after.time / before.time) << " % faster: " << chip::describe(before.plan) << " in "
                        << before.time.si() * 1e6 << " us, then " << chip::describe(after.plan) << " in " << after.time.si() * 1e6 << " us";
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
