#include "validate/cuda/measure/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The sentence and the hint with which the words are refused.
std::string refusal(const std::vector<std::string>& words) {
  try {
    parse_arguments(words);
  } catch (const UsageError& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

TEST(MeasureArguments, NothingAskedIsEverythingWithTheDefaults) {
  const Arguments arguments = parse_arguments({});
  EXPECT_TRUE(arguments.cases.empty());
  EXPECT_FALSE(arguments.budget.has_value());
  EXPECT_DOUBLE_EQ(arguments.criterion.noise, 0.005);
  EXPECT_DOUBLE_EQ(arguments.options.sustained.count(), 10);
}

TEST(MeasureArguments, ValuesFollowAsAWordOrBehindAnEqualsSign) {
  const Arguments arguments =
      parse_arguments({"--case", "memory.stream,memory.l2", "--budget=5min", "--axis", "bytes=4KiB,1GiB", "--criterion",
                       "1%", "--device=1", "--seed", "7", "--sustained", "500 ms", "--resume", "--output", "a.csv"});
  EXPECT_THAT(arguments.cases, ElementsAre("memory.stream", "memory.l2"));
  EXPECT_DOUBLE_EQ(arguments.budget.value().count(), 300);
  ASSERT_EQ(arguments.axes.size(), 1u);
  EXPECT_EQ(arguments.axes[0].axis, "bytes");
  EXPECT_THAT(arguments.axes[0].values, ElementsAre("4KiB", "1GiB"));
  EXPECT_DOUBLE_EQ(arguments.criterion.noise, 0.01);
  EXPECT_EQ(arguments.device, 1);
  EXPECT_EQ(arguments.seed, 7u);
  EXPECT_DOUBLE_EQ(arguments.options.sustained.count(), 0.5);
  EXPECT_TRUE(arguments.resume);
  EXPECT_EQ(arguments.output, "a.csv");
}

TEST(MeasureArguments, AnUnknownOptionHasTheNearestSpelling) {
  EXPECT_THAT(refusal({"--dryrun"}), HasSubstr("did you mean '--dry-run'?"));
  EXPECT_THAT(refusal({"--xyzzyxyzzy"}), HasSubstr("one of: --list"));
  EXPECT_THAT(refusal({"memory"}), HasSubstr("only options"));
}

TEST(MeasureArguments, AValueThatIsMissingOrTooManyIsNamed) {
  EXPECT_THAT(refusal({"--case"}), HasSubstr("--case needs a value"));
  EXPECT_THAT(refusal({"--list=yes"}), HasSubstr("--list takes no value"));
  EXPECT_THAT(refusal({"--case", "a,,b"}), HasSubstr("empty name"));
  EXPECT_THAT(refusal({"--axis", "bytes"}), HasSubstr("names no values"));
}

TEST(MeasureArguments, QuantitiesNeedTheirUnits) {
  for (const char* time : {"5", "5 parsecs", "-5s", "0s", "min", "", "1e99s", "nan s", "inf"})
    EXPECT_THAT(refusal({"--budget", time}), HasSubstr("--budget: ")) << time;
  for (const char* share : {"0", "2", "100%", "-1%", "x", "1 percent"})
    EXPECT_THAT(refusal({"--criterion", share}), HasSubstr("--criterion: ")) << share;
  for (const char* device : {"-1", "1.5", "x", "", "99999999999"})
    EXPECT_THAT(refusal({"--device", device}), HasSubstr("--device: ")) << device;
  EXPECT_THAT(refusal({"--device-name", "H100 SXM"}), HasSubstr("no name of a chip"));
}

TEST(MeasureArguments, HelpNamesEveryOption) {
  for (const char* option : {"--list", "--dry-run", "--group", "--case", "--axis", "--output", "--resume", "--budget",
                             "--max-time", "--criterion", "--sustained", "--device", "--device-name", "--seed"})
    EXPECT_THAT(usage(), HasSubstr(option));
}

}  // namespace
}  // namespace mlosim::measure
