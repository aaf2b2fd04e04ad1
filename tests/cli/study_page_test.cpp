// The page of a study: nothing is fetched, texts stay texts, and in a browser it answers its reader.
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
    const CommandResult result = mlosim("explore s.yaml --html page.html");
    if (result.err.find("built without pages") != std::string::npos) GTEST_SKIP() << result.err;
    ASSERT_EQ(result.exit_code, 0) << result.err;
    std::ostringstream text;
    text << std::ifstream(path("page.html")).rdbuf();
    page = text.str();
  }

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

// What the page does under a reader's hands: tests/browser/study_page_test.js lists it.
TEST_F(StudyPage, AnswersClicksInABrowser) {
  const std::string driver = MLOSIM_BROWSER_DRIVER;
  if (driver.empty()) GTEST_SKIP() << "built without a driver of browsers (npm's playwright-core)";
  for (const char* program : {"node", "chromium"}) {
    if (support::run_command(std::string("command -v ") + program, path(".")).exit_code != 0)
      GTEST_SKIP() << "no " << program << " is installed";
  }
  const CommandResult run = support::run_command(
      "CHROMIUM=\"$(command -v chromium)\" NODE_PATH=" + support::shell_quoted(driver + "/node_modules") +
          " timeout --kill-after=5 300 node " +
          support::shell_quoted(MLOSIM_SOURCE_DIR "/tests/browser/study_page_test.js") + " page.html",
      path("."));
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

TEST_F(StudyPage, IsNotWrittenWhereItCannotBe) {
  const CommandResult result = mlosim("explore s.yaml --store other.study --html nowhere/page.html");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("nowhere"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace mlosim::cli_test
