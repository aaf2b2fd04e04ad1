// Time has no scale of its own: with every rate of a machine k times as high and every latency and fixed time k times
// as short, everything takes a k-th of the time. A constant in seconds or hertz that hides in code breaks this.
//
// Done on the documents: each number whose dimension has time in it is written anew, whatever it is called. What
// remains is the rounding of simulated time up to whole picoseconds, one for each task.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <variant>

#include "sim/units/format.hpp"
#include "sim/units/parse.hpp"
#include "tests/property/workloads.hpp"

namespace mlosim::property {
namespace {

constexpr double kRelative = 1e-6;
constexpr double kPicosecond = 1e-12;

// Quantities in time^t get the factor k^-t.
int speed_up(spec::Value& value, double k) {
  int changed = 0;
  if (value.is_scalar() && !value.quoted) {
    const auto parsed = parse_quantity(value.text);
    const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
    if (quantity && quantity->dimension.time != 0) {
      value.text = format_exact(quantity->si * std::pow(k, -quantity->dimension.time), quantity->dimension);
      return 1;
    }
  }
  for (spec::Value& item : value.items) changed += speed_up(item, k);
  for (spec::Member& member : value.members) changed += speed_up(member.value, k);
  return changed;
}

int speed_up(spec::HardwareDocuments& documents, double k) {
  return speed_up(documents.system, k) + speed_up(documents.chip, k) + speed_up(documents.collectives, k) +
         speed_up(documents.runtime, k);
}

TEST(UnitOfTime, KernelsOfAMachineThatIsFasterThroughoutAreFasterByAsMuch) {
  for (const std::string& name : chip_names()) {
    const spec::HardwareDocuments documents = documents_of(name);
    const spec::Hardware base = decode(documents);
    for (const double k : {8.0, 0.3}) {
      spec::HardwareDocuments fast = documents;
      ASSERT_GT(speed_up(fast, k), 10) << name;
      const spec::Hardware faster = decode(fast);
      for (const KernelCase& c : kernel_cases(base.system.chip)) {
        const double expected = price(c.op, c.state, base).time.si() / k;
        EXPECT_NEAR(price(c.op, c.state, faster).time.si(), expected, kRelative * expected) << c.name;
      }
    }
  }
}

TEST(UnitOfTime, CollectivesOfAFabricThatIsFasterThroughoutAreFasterByAsMuch) {
  for (const std::string& name : system_names()) {
    const spec::HardwareDocuments documents = documents_of(name);
    spec::HardwareDocuments fast = documents;
    constexpr double kFactor = 8;
    speed_up(fast, kFactor);
    const spec::Hardware base = decode(documents), faster = decode(fast);
    const std::int64_t ranks = std::min<std::int64_t>(8, base.system.fabric.chips);
    machine::PriceBook slow_book(base, chip::Fidelity::analytic, {}, true),
        fast_book(faster, chip::Fidelity::analytic, {}, true);
    using work::CollectiveKind;
    for (const CollectiveKind kind :
         {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter,
          CollectiveKind::all_to_all, CollectiveKind::broadcast, CollectiveKind::p2p}) {
      for (double bytes = 1024; bytes < 4e9; bytes *= 16) {
        const work::Collective collective{
            .kind = kind, .bytes = Bytes(bytes), .ranks = kind == CollectiveKind::p2p ? 2 : ranks};
        const double expected = slow_book.price(collective).time.si() / kFactor;
        EXPECT_NEAR(fast_book.price(collective).time.si(), expected, kRelative * expected)
            << name << ": " << work::name_of(kind) << " of " << bytes << " B";
      }
    }
  }
}

TEST(UnitOfTime, WholeWorkloadsOfAMachineThatIsSlowerThroughoutAreSlowerByAsMuch) {
  constexpr double kFactor = 0.125;
  for (const std::string& name : workload_names()) {
    const Scenario scenario = scenario_of(name);
    spec::HardwareDocuments slow = scenario.documents;
    speed_up(slow, kFactor);
    const predict::Evaluation before = scenario.evaluate(), after = scenario.evaluate(scenario.decode_changed(slow));
    const double expected = before.total.makespan.si() / kFactor;
    EXPECT_NEAR(after.total.makespan.si(), expected, kRelative * expected + before.total.events * kPicosecond / kFactor)
        << name;
    EXPECT_NEAR(after.total.energy.si(), before.total.energy.si(), 1e-5 * before.total.energy.si()) << name;
  }
}

}  // namespace
}  // namespace mlosim::property
