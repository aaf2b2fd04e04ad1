#include "models/explore/set_twice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string mistakes(const std::string& axes, const std::string& more = "") {
  return mistakes_of(study_text(kDecode, "axes:\n  " + axes + "\nobjectives: time_s\n" + more));
}

TEST(SetTwice, OnePathIsSetOnceHoweverItIsSpelt) {
  EXPECT_THAT(mistakes("{system.chip.hbm.bandwidth: [3 TB/s], chip.hbm.bandwidth: [4 TB/s]}"),
              HasSubstr("'chip.hbm.bandwidth' is set by 'axes.system.chip.hbm.bandwidth' at s.yaml:5:4"));
  EXPECT_THAT(mistakes("x: [{system.chip.hbm.bandwidth: 3 TB/s, chip.hbm.bandwidth: 4 TB/s}]"), HasSubstr("axes.x"));
  EXPECT_THAT(mistakes("system.chip.hbm.bandwidth: [3 TB/s]", "derived: {chip.hbm.bandwidth: 3 TB/s}\n"),
              HasSubstr("derived.chip.hbm.bandwidth: 'chip.hbm.bandwidth' is set by"));
  EXPECT_THAT(
      mistakes("inference.batch: [1]", "derived: {chip.hbm.bandwidth: 3 TB/s, system.chip.hbm.bandwidth: 3 TB/s}\n"),
      HasSubstr("is set by 'derived.chip.hbm.bandwidth'"));
}

TEST(SetTwice, AWholeAndAKeyOfItMeet) {
  EXPECT_THAT(mistakes("{parallelism.tp: [1, 2], parallelism: [{pp: 1}, {tp: 4}]}"),
              HasSubstr("'parallelism.tp' is set by"));
  EXPECT_THAT(mistakes("{precision: [bf16, fp8], precision.weights: [bf16]}"),
              HasSubstr("'precision.weights' is set by"));
  EXPECT_THAT(mistakes("{runtime: [vllm], runtime.framework: [vllm]}"), HasSubstr("'runtime.framework' is set by"));
  EXPECT_THAT(mistakes("{parallelism.sp: [true, false], parallelism: [{tp: 4}]}"), IsEmpty());
  EXPECT_THAT(mistakes("{precision.kv_cache: [fp8, bf16], precision: [bf16]}"), IsEmpty());
  EXPECT_THAT(mistakes("{chip.hbm.bandwidth: [3 TB/s], system: [dgx_h100]}"), IsEmpty()) << "it is laid over each";
}

TEST(SetTwice, AKeyIsLaidOverTheWholeWhicheverIsWrittenFirst) {
  const Blueprint b = blueprint_of(study_text(
      kDecode,
      "axes: {precision.kv_cache: [fp8, bf16], precision: [bf16], parallelism.sp: [true], parallelism: [{tp: 4}]}\n"
      "objectives: time_s\n"));
  EXPECT_EQ(b.study.axes[0].name, "precision");
  EXPECT_EQ(b.study.axes[1].name, "precision.kv_cache");
  EXPECT_EQ(b.study.axes[2].name, "parallelism");
  EXPECT_EQ(b.study.axes[3].name, "parallelism.sp");
}

}  // namespace
}  // namespace mlosim::explore
