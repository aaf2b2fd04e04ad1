// The page of a study as a browser shows it: nothing is fetched, the script runs to its end and draws what was found.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

const std::string kStudy =
    "schema: mlosim/study/1\n"
    "name: \"<b>width</b> </script> & batch\"\n"
    "description: \"a text that is no markup: <img src=x>\"\n"
    "workload: {schema: mlosim/workload/1, name: d, model: llama-3.1-8b, task: decode, system: dgx_h100, precision: "
    "bf16, inference: {batch: 8, prompt: 1024, output: 128}}\n"
    "axes: {system.chip.hbm.bandwidth: {from: 2 TB/s, to: 8 TB/s, steps: 4}, inference.batch: [1, 16, 64]}\n"
    "objectives: [tpot_s, tokens_per_s_per_chip]\n";

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

class StudyPage : public Workplace {
 protected:
  void SetUp() override {
    write("s.yaml", kStudy);
    const CommandResult result = mlosim("explore s.yaml --html page.html --format json");
    if (result.err.find("built without pages") != std::string::npos) GTEST_SKIP() << result.err;
    ASSERT_EQ(result.exit_code, 0) << result.err;
    front = nlohmann::json::parse(result.out)["front"].size();
    std::ostringstream text;
    text << std::ifstream(path("page.html")).rdbuf();
    page = text.str();
  }

  std::size_t front = 0;
  std::string page;
};

TEST_F(StudyPage, NeedsNothingButItself) {
  EXPECT_EQ(count(page, "<script src"), 0U);
  EXPECT_EQ(count(page, "<link"), 0U);
  EXPECT_EQ(count(page, "Content-Security-Policy"), 1U) << "and may fetch nothing";
}

TEST_F(StudyPage, TakesTextsOfAStudyForText) {
  EXPECT_EQ(count(page, "<img"), 0U);
  EXPECT_EQ(count(page, "<b>width"), 0U);
  EXPECT_EQ(count(page, "</script>"), 2U) << "those of the page itself";
}

TEST_F(StudyPage, DrawsItsPointsInABrowser) {
  if (support::run_command("command -v chromium", path(".")).exit_code != 0) GTEST_SKIP() << "no chromium is installed";
  const CommandResult shown = support::run_command(
      "timeout --kill-after=5 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
      "--disable-background-networking --disable-component-update --disable-sync --user-data-dir=\"$PWD/browser\" "
      "--virtual-time-budget=10000 --dump-dom page.html",
      path("."));
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(count(shown.out, "data-ready=\"true\""), 1U) << "the script did not come to its end";
  EXPECT_GE(count(shown.out, "<canvas"), 3U) << "scatter, parallel coordinates, roofline";
  EXPECT_EQ(count(shown.out, "<tr tabindex"), front) << "a row for each point of the front";
  EXPECT_EQ(count(shown.out, "&lt;b&gt;width&lt;/b&gt;"), 2U) << "in the title and the heading";
}

TEST_F(StudyPage, IsNotWrittenWhereItCannotBe) {
  const CommandResult result = mlosim("explore s.yaml --store other.study --html nowhere/page.html");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("nowhere"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace mlosim::cli_test
