#include "validate/cuda/measure/sidecar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <string>

#include "tests/support/source_tree.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

class MeasureSidecar : public testing::Test {
 protected:
  std::string path() const { return (folder_.path() / "x.yaml").string(); }
  YAML::Node read() const { return YAML::LoadFile(path()); }

  support::TemporaryDirectory folder_;
};

TEST_F(MeasureSidecar, StandsBesideTheCsv) {
  EXPECT_EQ(sidecar_path("a/h100_sxm.csv"), "a/h100_sxm.yaml");
  EXPECT_EQ(sidecar_path("rows"), "rows.yaml");
  EXPECT_EQ(sidecar_path(".csv"), ".csv.yaml");
}

TEST_F(MeasureSidecar, AnyTextIsReadBackAsItWas) {
  const std::string strange = "a \"b\" \\ : # \n\t- 580.65";
  const Sidecar sidecar(path(), "",
                        {text_fact("gpu", strange), number_fact("sms", 132), number_fact("cap", {}),
                         flag_fact("ecc", true), flag_fact("persistence", {})});
  sidecar.write({});
  const YAML::Node run = read()["runs"][0];
  EXPECT_EQ(run["gpu"].as<std::string>(), strange);
  EXPECT_EQ(run["sms"].as<int>(), 132);
  EXPECT_TRUE(run["cap"].IsNull());
  EXPECT_TRUE(run["ecc"].as<bool>());
  EXPECT_TRUE(run["persistence"].IsNull());
  EXPECT_FALSE(run["finished"].as<bool>());
}

TEST_F(MeasureSidecar, TheEndOfARunReplacesItsBeginning) {
  const Sidecar sidecar(path(), "", {text_fact("gpu", "x")});
  sidecar.write({});
  sidecar.write({.finished = true, .rows = 7, .skipped = 1, .wrong = 0, .failed = 0, .wall = Seconds(2.5)});
  ASSERT_EQ(read()["runs"].size(), 1u);
  EXPECT_TRUE(read()["runs"][0]["finished"].as<bool>());
  EXPECT_EQ(read()["runs"][0]["rows"].as<int>(), 7);
  EXPECT_DOUBLE_EQ(read()["runs"][0]["wall_s"].as<double>(), 2.5);
  EXPECT_FALSE(std::filesystem::exists(path() + ".new"));
}

TEST_F(MeasureSidecar, ARunThatGoesOnKeepsWhatWasThere) {
  Sidecar(path(), "", {text_fact("driver", "1")}).write({.finished = false, .rows = 3});
  Sidecar(path(), read_text_file(path()), {text_fact("driver", "2")}).write({.finished = true, .rows = 4});
  const YAML::Node runs = read()["runs"];
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0]["driver"].as<std::string>(), "1");
  EXPECT_EQ(runs[0]["rows"].as<int>(), 3);
  EXPECT_EQ(runs[1]["driver"].as<std::string>(), "2");
}

TEST_F(MeasureSidecar, AForeignFileIsNotOverwritten) {
  EXPECT_THROW(Sidecar(path(), "schema: mlosim/chip/1\n", {}), UsageError);
}

TEST_F(MeasureSidecar, AFolderThatIsNotThereIsWrongInput) {
  const Sidecar sidecar((folder_.path() / "nowhere" / "x.yaml").string(), "", {});
  EXPECT_THROW(sidecar.write({}), UsageError);
}

}  // namespace
}  // namespace mlosim::measure
