#include "validate/calibrate/transfer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/validate/calibrate/synthetic.hpp"

namespace mlosim::calibrate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Options quick_options() {
  Options options;
  options.parameters = {"hbm.efficiency", "gemm.fixed"};
  options.starts = 1;
  return options;
}

TEST(LeaveOut, CarriesNumbersFromTheOtherChips) {
  const Synthetic synthetic;
  const std::vector<std::string> tables{
      synthetic.write("a100.csv", "a100_sxm_80gb", {{"chip.hbm.efficiency", "0.7"}}, 0.01),
      synthetic.write("h100.csv", "h100_sxm", {{"chip.hbm.efficiency", "0.7"}}, 0.01)};
  const Measurements measurements(synthetic.library(), tables);
  const Transfer transfer = leave_out(synthetic.library(), measurements, quick_options(), {"h100_sxm"}, 20);
  ASSERT_EQ(transfer.chips.size(), 1u);
  const LeftOut& left = transfer.chips.front();
  EXPECT_EQ(left.chip, "h100_sxm");
  EXPECT_EQ(left.transferred.rows, Synthetic::shapes().size());
  for (const TransferredParameter& p : left.parameters) {
    EXPECT_THAT(p.donors, ElementsAre("a100_sxm_80gb")) << p.path;
    if (p.path == "chip.hbm.efficiency") {
      EXPECT_NEAR(std::stod(p.text), 0.7, 0.02);
    }
  }
  EXPECT_LT(left.transferred.mape, left.transferred.three_constants_mape);
}

TEST(LeaveOut, NeverLooksAtTheRowsOfTheChipThatIsLeftOut) {
  const Synthetic synthetic;
  const std::string a100 = synthetic.write("a100.csv", "a100_sxm_80gb", {{"chip.hbm.efficiency", "0.7"}}, 0.01);
  const std::string honest = synthetic.write("honest.csv", "h100_sxm", {}, 0.01);
  const std::string spoilt =
      synthetic.write("spoilt.csv", "h100_sxm", {{"chip.hbm.efficiency", "0.4"}, {"chip.gemm.fixed", "5 us"}}, 0.2);
  const auto numbers = [&](const std::string& table) {
    const Measurements measurements(synthetic.library(), {a100, table});
    const Transfer transfer = leave_out(synthetic.library(), measurements, quick_options(), {"h100_sxm"}, 20);
    std::vector<std::string> texts;
    for (const TransferredParameter& p : transfer.chips.front().parameters) texts.push_back(p.path + " " + p.text);
    return texts;
  };
  EXPECT_EQ(numbers(honest), numbers(spoilt));
}

TEST(LeaveOut, NeedsTwoChipsAndSaysWhichThereAre) {
  const Synthetic synthetic;
  const Measurements measurements(synthetic.library(), {synthetic.write("h100.csv", "h100_sxm", {})});
  try {
    leave_out(synthetic.library(), measurements, quick_options(), {}, 20);
    FAIL() << "one chip has no others";
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("h100_sxm"));
  }
}

}  // namespace
}  // namespace mlosim::calibrate
