// mlosim calibrate as a user runs it.
#include <gtest/gtest.h>

#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class Calibrate : public Workplace {
 protected:
  // Streams and products whose times a slower memory than the library's would give; the numbers are made up.
  void SetUp() override {
    std::string table = "device,op,dtype,batch,m,n,k,time_us,power_w,flag,software,source\n";
    for (const int m : {1, 2, 4, 8, 12, 16, 24, 32}) {
      for (const int n : {8192, 12288, 16384, 24576}) {
        for (const int k : {8192, 16384}) {
          const double us = 2.5 + 2.0 * n * k / 2.6e6;
          table += "h100_sxm,gemm,bfloat16,1," + std::to_string(m) + "," + std::to_string(n) + "," + std::to_string(k) +
                   "," + std::to_string(us) + ",,,bench 1,mlosim/test\n";
        }
      }
    }
    write("rows.csv", table);
  }

  static constexpr const char* kOne = "calibrate rows.csv --chip h100_sxm --parameters hbm.efficiency --starts 1";
};

TEST_F(Calibrate, PrintsWhatItFoundAndTheYamlToWrite) {
  const CommandResult result = mlosim(kOne);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* word :
       {"chip.hbm.efficiency", "held out", "3 const.", "hbm:\n  efficiency: {value: 0.", "CAL, rows.csv"})
    EXPECT_NE(result.out.find(word), std::string::npos) << "no '" << word << "' in\n" << result.out;
}

TEST_F(Calibrate, JsonIsOneDocument) {
  const CommandResult result = mlosim(std::string(kOne) + " --format json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << result.out;
  EXPECT_EQ(json["schema"], "mlosim/calibration/1");
  EXPECT_EQ(json["parameters"].size(), 1u);
  EXPECT_LT(json["fitted"]["after"]["mape"], json["fitted"]["before"]["mape"]);
}

TEST_F(Calibrate, WritesIntoAChipsFileInPlaceAndTheChipIsReadWithIt) {
  const std::string chip = support::read_text(support::source_dir() / "hw_specs/chips/h100_sxm.yaml");
  std::filesystem::create_directories(path("hw_specs/chips"));
  write("hw_specs/chips/h100_sxm.yaml", chip);
  const CommandResult result = mlosim_with_path(path("."), std::string(kOne) + " --in-place");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::string edited = read("hw_specs/chips/h100_sxm.yaml");
  const std::size_t added = edited.find("  efficiency: {value: 0.");
  ASSERT_NE(added, std::string::npos) << edited;
  std::string without = edited;
  without.erase(added, edited.find('\n', added) + 1 - added);
  EXPECT_EQ(without, chip);
  const CommandResult shown = mlosim_with_path(path("."), "show h100_sxm");
  EXPECT_NE(shown.out.find("CAL, rows.csv"), std::string::npos) << shown.out;
}

TEST_F(Calibrate, WritesTheNumbersToAFileOfTheirOwn) {
  const CommandResult result = mlosim(std::string(kOne) + " --write found.yaml");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(read("found.yaml").starts_with("hbm:\n  efficiency: {value: 0.")) << read("found.yaml");
  EXPECT_FALSE(has("found.yaml.part"));
}

TEST_F(Calibrate, AFileThatCannotBeWrittenLeavesWhatIsThere) {
  expect_refused(mlosim(std::string(kOne) + " --write nowhere/found.yaml"),
                 {"nowhere/found.yaml", "cannot be written"});
}

TEST_F(Calibrate, ChangesNothingWhereOneOfItsFilesCannotBeWritten) {
  const std::string chip = support::read_text(support::source_dir() / "hw_specs/chips/h100_sxm.yaml");
  std::filesystem::create_directories(path("hw_specs/chips"));
  write("hw_specs/chips/h100_sxm.yaml", chip);
  const CommandResult result =
      mlosim_with_path(path("."), std::string(kOne) + " --in-place --write nowhere/found.yaml");
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_EQ(read("hw_specs/chips/h100_sxm.yaml"), chip);
}

TEST_F(Calibrate, RefusesOptionsThatItWouldNotHeed) {
  expect_refused(mlosim("calibrate rows.csv --leave-out all --chip h100_sxm"), {"--chip"});
  expect_refused(mlosim("calibrate rows.csv --leave-out all --write x.yaml"), {"--write"});
  expect_refused(mlosim("calibrate rows.csv --leave-out all --in-place"), {"--in-place"});
  expect_refused(mlosim(std::string(kOne) + " --family"), {"--in-place"});
}

TEST_F(Calibrate, HasNoScoreOfRowsThatAreNotThere) {
  const CommandResult result = mlosim(std::string(kOne) + " --all-rows --format json");
  const nlohmann::json json = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << result.out << result.err;
  EXPECT_TRUE(json["held_out"]["after"]["mape"].is_null());
}

TEST_F(Calibrate, WrongInputIsRefusedWithTheNearestName) {
  expect_refused(mlosim("calibrate rows.csv --chip h100_sxn"), {"h100_sxn", "did you mean 'h100_sxm'"});
  expect_refused(mlosim("calibrate rows.csv --chip h100_sxm --parameters gemm.fixt"), {"gemm.fixt", "gemm.fixed"});
  expect_refused(mlosim("calibrate rows.csv --chip h100_sxm --operators gem"), {"'gem'", "gemm"});
  expect_refused(mlosim("calibrate rows.csv --chip h100_sxm,h100_sxn"), {"h100_sxn"});
  expect_refused(mlosim("calibrate rows.csv --chip h100_sxm --operators gemm,gem"), {"'gem'"});
  expect_refused(mlosim("calibrate rows.csv"), {"--chip"});
  expect_refused(mlosim("calibrate nothing.csv --chip h100_sxm"), {"nothing.csv"});
  expect_refused(mlosim("calibrate rows.csv --leave-out all"), {"h100_sxm"});
  write("bad.csv", "device,op\nh100_sxm,gemm\n");
  expect_refused(mlosim("calibrate bad.csv --chip h100_sxm"), {"bad.csv:1", "dtype"});
}

}  // namespace
}  // namespace mlosim::cli_test
