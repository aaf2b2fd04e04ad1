#include "validate/cuda/measure/campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/source_tree.hpp"

namespace mlosim::measure {
namespace {

using testing::HasSubstr;

// Runs of a campaign over m = 1 ... 4 with a device that is a function.
class MeasureCampaign : public testing::Test {
 protected:
  MeasureCampaign() {
    one_.name = "test.case";
    one_.keys = {"m"};
    one_.results = {"gb_per_s"};
    for (const char* m : {"1", "2", "3", "4"}) {
      Work work;
      work.of = &one_;
      work.state = State(Coordinates{{"m", m}});
      work.plan.identity = {{"op", "test"}, {"dtype", "bf16"}, {"m", m}};
      work.estimate = Seconds(1);
      works_.push_back(work);
    }
    campaign_.device = "h100_sxm";
    campaign_.software = "mlosim-measure test";
    campaign_.measure = [this](const Work& work) { return measure(work); };
    campaign_.is_interrupted = [this] { return measured_ == interrupted_after_; };
    campaign_.elapsed = [this] { return Seconds(measured_); };
    campaign_.messages = &messages_;
  }

  Outcome measure(const Work& work) {
    ++measured_;
    if (work.name() == skipped_) return Skip{"no memory"};
    if (work.name() == failing_) return Failure{"cudaThis failed", is_fatal_};
    Measured measured;
    measured.time = {.median = Seconds(2e-6), .spread = 0.01, .uncertainty = 0.001, .samples = 10};
    measured.clock_mhz = 1980;
    measured.results = {{"gb_per_s", "7"}};
    if (work.name() == wrong_) measured.wrong = "3 words differ";
    return measured;
  }

  CampaignEnd run(ResultFile::Mode mode = ResultFile::Mode::create) {
    const std::string sidecar = path("x.yaml");
    ResultFile results(path("x.csv"), mode, csv_columns({one_}), key_columns({one_}));
    return run_campaign(campaign_, works_, results, Sidecar(sidecar, read_text_file(sidecar), {}));
  }

  std::string path(const char* name) const { return (folder_.path() / name).string(); }
  std::string csv() const { return support::read_text(path("x.csv")); }
  std::string yaml() const { return support::read_text(path("x.yaml")); }

  support::TemporaryDirectory folder_;
  Case one_;
  std::vector<Work> works_;
  Campaign campaign_;
  std::ostringstream messages_;
  int measured_ = 0;
  int interrupted_after_ = -1;
  bool is_fatal_ = false;
  std::string skipped_;
  std::string failing_;
  std::string wrong_;
};

TEST_F(MeasureCampaign, WritesTheColumnsOfTheContract) {
  const CampaignEnd end = run();
  EXPECT_EQ(end.state.rows, 4);
  EXPECT_TRUE(end.state.finished);
  EXPECT_THAT(csv(),
              testing::StartsWith("device,op,dtype,m,gb_per_s,time_us,power_w,flag,software,source,samples,"
                                  "spread,clock_mhz\n"
                                  "h100_sxm,test,bf16,1,7,2,,,mlosim-measure test,mlosim-measure,10,0.01,1980\n"));
  EXPECT_THAT(yaml(), HasSubstr("finished: true\n    rows: 4\n"));
}

TEST_F(MeasureCampaign, GoesOnWhereItWasInterrupted) {
  interrupted_after_ = 2;
  const CampaignEnd first = run();
  EXPECT_TRUE(first.interrupted);
  EXPECT_EQ(first.state.rows, 2);
  EXPECT_THAT(yaml(), HasSubstr("finished: false\n    rows: 2\n"));
  interrupted_after_ = -1;
  const CampaignEnd second = run(ResultFile::Mode::resume);
  EXPECT_EQ(second.present, 2);
  EXPECT_EQ(second.state.rows, 2);
  EXPECT_EQ(measured_, 4);
  EXPECT_THAT(yaml(), HasSubstr("finished: true\n    rows: 2\n"));
}

TEST_F(MeasureCampaign, GoesOnPastWhatIsSkippedOrFails) {
  skipped_ = "test.case m=1";
  failing_ = "test.case m=3";
  const CampaignEnd end = run();
  EXPECT_EQ(end.state.rows, 2);
  EXPECT_EQ(end.state.skipped, 1);
  EXPECT_EQ(end.state.failed, 1);
  EXPECT_EQ(messages_.str(), "skipped: test.case m=1: no memory\nfailed: test.case m=3: cudaThis failed\n");
}

TEST_F(MeasureCampaign, StopsWhereTheDeviceCanDoNothingMore) {
  failing_ = "test.case m=2";
  is_fatal_ = true;
  const CampaignEnd end = run();
  EXPECT_TRUE(end.fatal);
  EXPECT_FALSE(end.state.finished);
  EXPECT_EQ(end.state.rows, 1);
  EXPECT_EQ(measured_, 2);
}

TEST_F(MeasureCampaign, AWrongResultIsFlagged) {
  wrong_ = "test.case m=2";
  const CampaignEnd end = run();
  EXPECT_EQ(end.state.rows, 4);
  EXPECT_EQ(end.state.wrong, 1);
  EXPECT_THAT(csv(), HasSubstr("bf16,2,7,2,,wrong_result,"));
  EXPECT_THAT(messages_.str(), HasSubstr("wrong result: test.case m=2: 3 words differ"));
}

TEST_F(MeasureCampaign, StaysWithinItsBudget) {
  campaign_.budget = Seconds(2.5);
  const CampaignEnd end = run();
  EXPECT_EQ(end.state.rows, 2);
  EXPECT_EQ(end.beyond_budget, 2);
  EXPECT_TRUE(end.state.finished);
}

TEST_F(MeasureCampaign, ABudgetGoesOnBehindWhatIsThere) {
  campaign_.budget = Seconds(2.5);
  run();
  campaign_.elapsed = [this] { return Seconds(measured_ - 2); };
  const CampaignEnd second = run(ResultFile::Mode::resume);
  EXPECT_EQ(second.present, 2);
  EXPECT_EQ(second.state.rows, 2);
}

TEST_F(MeasureCampaign, AMistakeOfOursLeavesTheRowsAndAnUnfinishedRun) {
  campaign_.measure = [this](const Work& work) -> Outcome {
    if (measured_ == 1) throw std::logic_error("ours");
    return measure(work);
  };
  EXPECT_THROW(run(), std::logic_error);
  EXPECT_THAT(csv(), HasSubstr("h100_sxm,test,bf16,1,"));
  EXPECT_THAT(yaml(), HasSubstr("finished: false\n    rows: 1\n"));
}

TEST_F(MeasureCampaign, ProgressIsForTerminalsAlone) {
  run();
  EXPECT_EQ(messages_.str(), "");
  campaign_.is_terminal = true;
  std::filesystem::remove(path("x.csv"));
  run();
  EXPECT_THAT(messages_.str(), HasSubstr("[3/4] test.case m=3, about 2.00 s left"));
  EXPECT_THAT(messages_.str(), testing::EndsWith("\r\033[K"));
}

}  // namespace
}  // namespace mlosim::measure
