#include "validate/calibrate/transfer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/unit/validate/calibrate/synthetic.hpp"
#include "validate/calibrate/edit.hpp"

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

// Halves a number of the left-out chip's own: either its prediction stays, or the number is named as kept.
TEST(LeaveOut, NamesEveryFittedNumberOfItsOwnThatAPredictionStillKnows) {
  const Synthetic synthetic;
  const std::vector<std::string> tables{
      synthetic.write("a100.csv", "a100_sxm_80gb", {}, 0.01, Synthetic::tiny_shapes()),
      synthetic.write("h100.csv", "h100_sxm", {}, 0.01, Synthetic::tiny_shapes())};
  const auto leave = [&](const spec::Library& library) {
    const Measurements measurements(library, tables);
    return leave_out(library, measurements, quick_options(), {"h100_sxm"}, 20).chips.front();
  };
  const LeftOut honest = leave(synthetic.library());
  const std::string hopper = support::read_text(support::source_dir() / "hw_specs/families/hopper.yaml");
  std::filesystem::create_directories(synthetic.path("hw_specs/families"));
  int moved = 0;
  for (const std::string number : {"fixed", "prologue", "epilogue_store", "k_step", "exposed_ends"}) {
    const spec::Value document = spec::parse_document(hopper, "hopper.yaml");
    const spec::Value* value = document.find("gemm")->find(number);
    ASSERT_NE(value, nullptr) << number;
    const std::string old = value->find("value")->text;
    const std::size_t unit = std::min(old.find_first_not_of("0123456789."), old.size());
    const std::string more = fmt::format("{}{}", std::stod(old) / 2, old.substr(unit));
    support::write_text(synthetic.path("hw_specs/families/hopper.yaml"),
                        edit_document(hopper, "hopper.yaml", "", {{"gemm." + number, more, "spoilt"}}));
    const LeftOut spoilt = leave(spec::Library({synthetic.path("."), MLOSIM_SOURCE_DIR}));
    const bool is_kept = std::find(honest.kept.begin(), honest.kept.end(), "chip.gemm." + number + " (hopper.yaml)") !=
                         honest.kept.end();
    if (spoilt.transferred.mape != honest.transferred.mape) {
      ++moved;
      EXPECT_TRUE(is_kept) << number;
    }
  }
  EXPECT_GT(moved, 0) << "only hbm.efficiency and gemm.fixed are free here";
  EXPECT_THAT(render_text(Transfer{{honest}}), HasSubstr("chip.gemm.prologue (hopper.yaml)"));
  EXPECT_THAT(honest.kept, testing::Not(testing::Contains(HasSubstr("gemm.fixed "))));
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
