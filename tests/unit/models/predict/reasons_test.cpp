// Why one machine is faster: shares that multiply to the whole, and the number that was changed behind them.
#include "models/predict/reasons.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "models/predict/predict.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

struct Asked {
  Workload workload;
  Setting setting;
};

class ReasonsTest : public testing::Test, protected Desk {
 protected:
  Asked ask(const std::string& text, const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    WorkloadOptions options;
    options.settings = settings;
    Asked asked{.workload = read(text, options), .setting = {}};
    asked.setting = read_setting(small.library(), asked.workload, warnings);
    return asked;
  }
  static std::vector<Reason> reasons(const Asked& base, const Asked& other) {
    return find_reasons(base.workload, base.setting, other.workload, other.setting, chip::Fidelity::analytic);
  }
  static double ratio(const Asked& base, const Asked& other) {
    const auto time = [](const Asked& a) {
      return closed_form_of(a.workload, a.setting, chip::Fidelity::analytic)(a.setting.hardware);
    };
    return time(base) / time(other);
  }
  static double product(const std::vector<Reason>& list) {
    double all = 1;
    for (const Reason& r : list) all *= r.factor;
    return all;
  }
};

TEST_F(ReasonsTest, OneNumberThatWasChangedIsTheWholeReason) {
  const Asked base = ask(decode_text()), faster = ask(decode_text(), {{"chip.hbm.bandwidth", "2 TB/s"}});
  const std::vector<Reason> list = reasons(base, faster);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].what, "memory bandwidth");
  EXPECT_EQ(list[0].from, "1 TB/s");
  EXPECT_EQ(list[0].to, "2 TB/s");
  EXPECT_NEAR(list[0].factor, ratio(base, faster), 1e-3 * list[0].factor);
}

TEST_F(ReasonsTest, TheFactorsMultiplyToTheRatioOfTheTimes) {
  const Asked base = ask(decode_text("parallelism: {tp: 8}", "toy_8"));
  const Asked other = ask(decode_text("parallelism: {tp: 8}", "toy_8"), {{"chip.hbm.bandwidth", "2 TB/s"},
                                                                         {"chip.clock", "1.5 GHz"},
                                                                         {"system.fabric.bandwidth", "50 GB/s"},
                                                                         {"runtime.step_overhead", "1 ms"}});
  const std::vector<Reason> list = reasons(base, other);
  EXPECT_GE(list.size(), 3u);
  EXPECT_NEAR(product(list) / ratio(base, other), 1, 0.01);
}

TEST_F(ReasonsTest, AnotherLayoutIsTheWorkloadsOwnReason) {
  const Asked base = ask(decode_text("parallelism: {tp: 2}", "toy_8"));
  const Asked other = ask(decode_text("parallelism: {tp: 8}", "toy_8"));
  const std::vector<Reason> list = reasons(base, other);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_THAT(list[0].what, testing::HasSubstr("layout"));
}

TEST_F(ReasonsTest, EqualMachinesHaveNone) {
  EXPECT_THAT(reasons(ask(decode_text()), ask(decode_text())), testing::IsEmpty());
}

TEST_F(ReasonsTest, NumbersThatDifferAreListedByTheirPaths) {
  const Asked base = ask(decode_text()), other = ask(decode_text(), {{"chip.hbm.bandwidth", "2 TB/s"}});
  const std::vector<Difference> list =
      find_differences(base.setting.hardware.provenance, other.setting.hardware.provenance);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].parameter, "chip.hbm.bandwidth");
  EXPECT_EQ(list[0].to, "2 TB/s");
}

}  // namespace
}  // namespace mlosim::predict
