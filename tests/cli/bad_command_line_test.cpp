// Command lines that mlosim cannot follow: exit code 2, words that say which part, nothing on standard output.
#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class BadCommandLine : public Workplace {};

TEST_F(BadCommandLine, HelpAndVersionAreNoMistakes) {
  EXPECT_EQ(mlosim("--help").exit_code, 0);
  EXPECT_NE(mlosim("--help").out.find("predict"), std::string::npos);
  EXPECT_NE(mlosim("predict --help").out.find("--fidelity"), std::string::npos);
  EXPECT_EQ(mlosim("--version").out.rfind("mlosim ", 0), 0u);
}

TEST_F(BadCommandLine, ACommandIsNeededAndAnUnknownOneHasANearestName) {
  expect_refused(mlosim(""), {"--help"});
  expect_refused(mlosim("predikt x"), {"predikt", "did you mean 'predict'?"});
  expect_refused(mlosim("predict"), {"workload"});
}

TEST_F(BadCommandLine, AnUnknownOptionHasANearestName) {
  expect_refused(predict(kSmall, "--sytem h100_sxm"), {"--sytem", "did you mean '--system'?"});
  expect_refused(predict(kSmall, "--frobnicate"), {"--frobnicate"});
  expect_refused(predict(kSmall, "another.yaml"), {"another.yaml"});
}

TEST_F(BadCommandLine, ValuesOfOptionsAreChecked) {
  expect_refused(predict(kSmall, "--format xml"), {"--format", "xml", "text", "json", "csv"});
  expect_refused(predict(kSmall, "--format jsn"), {"did you mean 'json'?"});
  expect_refused(predict(kSmall, "--format 1"), {"--format"});
  expect_refused(predict(kSmall, "--fidelity exact"), {"--fidelity", "exact", "roofline", "analytic"});
  expect_refused(predict(kSmall, "--fidelity 1"), {"--fidelity"});
  for (const char* chips : {"0", "-1", "3x", "1.5", "1e99", "''", "99999999999999999999"}) {
    const CommandResult result = predict(kSmall, std::string("--chips ") + chips);
    expect_refused(result, {"--chips"});
    EXPECT_LT(result.err.size(), 300u) << result.err;
  }
  expect_refused(predict(kSmall, "--system"), {"--system"});
  expect_refused(predict(kSmall, "--system nothing_like_it"), {"no system or chip is called 'nothing_like_it'"});
}

TEST_F(BadCommandLine, ABoundOnEventsIsACountAndNeedsAPlay) {
  for (const char* events : {"0", "-1", "many", "1e99"})
    expect_refused(predict(kSmall, std::string("--max-events ") + events), {"--max-events"});
  expect_refused(predict(kSmall, "--fidelity analytic --max-events 100"), {"none is played", "--fidelity event"});
}

TEST_F(BadCommandLine, SetNeedsAPathAndAValue) {
  for (const char* setting : {"nonsense", "=3", "''", "a..b=3", ".a=3", "a.=3", "inference.batch.x=3"})
    expect_refused(predict(kSmall, std::string("--set ") + setting), {"--set"});
  expect_refused(predict(kSmall, "--set"), {"--set"});
}

TEST_F(BadCommandLine, SetOfAnUnknownPathHasTheNearest) {
  expect_refused(predict(kSmall, "--set inferense.batch=3"), {"--set inferense.batch: ", "did you mean 'inference'?"});
  expect_refused(predict(kSmall, "--set inference.bach=3"), {"--set inference.bach: ", "did you mean 'batch'?"});
  expect_refused(predict(kSmall, "--set 'chip.hbm.bandwith=3 TB/s'"),
                 {"--set chip.hbm.bandwith: ", "did you mean 'bandwidth'?"});
  expect_refused(predict(kSmall, "--set 'system.chip.hbn.bandwidth=3 TB/s'"), {"did you mean 'hbm'?"});
  expect_refused(predict(kSmall, "--set 'runtime.step_overhed=3 us'"), {"did you mean 'step_overhead'?"});
}

TEST_F(BadCommandLine, SetOfAWrongValueSaysWhatWasExpected) {
  expect_refused(predict(kSmall, "--set system.chip.hbm.bandwidth=fast"),
                 {"--set system.chip.hbm.bandwidth: ", "'fast' is not a number with a unit"});
  expect_refused(predict(kSmall, "--set 'chip.hbm.bandwidth=3 GB'"), {"expected a data rate"});
  expect_refused(predict(kSmall, "--set inference.batch=many"), {"--set inference.batch: "});
}

// The files are read before settings are laid over them: a name that is set would change nothing.
TEST_F(BadCommandLine, SetOfWhatNamesAnotherFileIsRefusedRatherThanIgnored) {
  for (const char* setting : {"system.chip=h200_sxm", "chip.family=ampere", "system.collectives=rccl"})
    expect_refused(predict(kSmall, std::string("--set ") + setting), {"--set ", "cannot be exchanged"});
}

TEST_F(BadCommandLine, StandardOutputThatCannotBeWrittenIsReported) {
  write("w.yaml", kSmall);
  const CommandResult result = mlosim("predict w.yaml >/dev/full");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("standard output"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace mlosim::cli_test
