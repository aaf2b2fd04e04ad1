#include "models/plan/parallelism.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/spec/document.hpp"

namespace mlosim::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  Parallelism p;
  std::vector<std::string> mistakes, warnings;
};

Read read(const std::string& text, bool has_moe) {
  const spec::Value document = spec::parse_document("{parallelism: " + text + "}", "w.yaml");
  spec::Decoding decoding;
  Read result{decode_parallelism(spec::Node(&document, "", &decoding).child("parallelism"), has_moe), {}, {}};
  for (const spec::Diagnostic& d : decoding.diagnostics.list()) result.mistakes.push_back(spec::render_diagnostic(d));
  return result;
}

Read fit(Parallelism p, std::int64_t chips) {
  spec::Decoding decoding;
  Read result{fit_to_chips(p, chips, spec::Node(nullptr, "", &decoding)), {}, decoding.warnings};
  for (const spec::Diagnostic& d : decoding.diagnostics.list()) result.mistakes.push_back(spec::render_diagnostic(d));
  return result;
}

Parallelism with(std::int64_t tp, std::int64_t dp, std::int64_t ep = 1, std::int64_t moe_tp = 1,
                 std::int64_t attention_dp = 1) {
  Parallelism p;
  p.tp = tp;
  p.dp = dp;
  p.ep = ep;
  p.moe_tp = moe_tp;
  p.attention_dp = attention_dp;
  return p;
}

TEST(Parallelism, ChipsAreTheProductOfWhatSpreadsAttention) {
  EXPECT_EQ(with(4, 2, 8, 1, 2).group(), 8);
  EXPECT_EQ(with(4, 2, 8, 1, 2).chips(), 16);
}

TEST(Parallelism, WithoutAMappingAModelIsCutOverAllChips) {
  spec::Decoding decoding;
  const spec::Node absent(nullptr, "parallelism", &decoding);
  EXPECT_EQ(decode_parallelism(absent, false, 8).tp, 8);
  EXPECT_EQ(decode_parallelism(absent, false, 8).moe_tp, 1);
  EXPECT_EQ(decode_parallelism(absent, true, 8).tp, 8);
  EXPECT_EQ(decode_parallelism(absent, true, 8).moe_tp, 8) << "experts are cut as the attention is";
  EXPECT_EQ(decode_parallelism(absent, true).chips(), 1);
}

TEST(Parallelism, ExpertsAreCutAsTheAttentionUnlessTheyAreSpread) {
  EXPECT_EQ(read("{tp: 8}", true).p.moe_tp, 8);
  EXPECT_EQ(read("{tp: 8, ep: 8}", true).p.moe_tp, 1);
  EXPECT_EQ(read("{tp: 8, ep: 2}", true).p.moe_tp, 4);
  EXPECT_EQ(read("{tp: 8}", false).p.moe_tp, 1) << "a dense model has no experts";
}

TEST(Parallelism, AttentionIsReplicatedWhereTheExpertsSpreadWider) {
  const Read eight = read("{ep: 8}", true);
  EXPECT_THAT(eight.mistakes, IsEmpty());
  EXPECT_EQ(eight.p.attention_dp, 8);
  EXPECT_EQ(eight.p.chips(), 8);
  EXPECT_EQ(read("{tp: 2, ep: 8}", true).p.attention_dp, 4);
  EXPECT_EQ(read("{tp: 2, ep: 4, moe_tp: 2}", true).p.attention_dp, 4);
}

TEST(Parallelism, WhatIsGivenIsKept) {
  const Read both = read("{attention_dp: 8, ep: 8}", true);
  EXPECT_THAT(both.mistakes, IsEmpty());
  EXPECT_EQ(both.p.moe_tp, 1);
  EXPECT_EQ(read("{attention_dp: 8, moe_tp: 8}", true).p.ep, 1);
  EXPECT_THAT(read("{attention_dp: 8, moe_tp: 8}", true).mistakes, IsEmpty());
}

TEST(Parallelism, ExpertsAndAttentionSpreadOverTheSameChips) {
  EXPECT_THAT(
      read("{tp: 8, ep: 4, moe_tp: 1}", true).mistakes,
      ElementsAre(HasSubstr("ep 4 x moe_tp 1 is not tp 8 x attention_dp 1; the experts spread over the same chips")));
  EXPECT_THAT(read("{tp: 8, ep: 3}", true).mistakes, ElementsAre(HasSubstr("ep 3 x moe_tp 1 is not tp 8")));
  EXPECT_THAT(read("{attention_dp: 4, ep: 8}", true).mistakes,
              ElementsAre(HasSubstr("ep 8 x moe_tp 1 is not tp 1 x attention_dp 4")));
}

TEST(Parallelism, ADenseModelHasNoExpertsToSpreadOrCut) {
  EXPECT_THAT(read("{tp: 2, ep: 4, moe_tp: 2}", false).mistakes,
              ElementsAre("w.yaml:1:27: parallelism.ep: the model has no experts to spread",
                          HasSubstr("the model has no experts to cut")));
}

TEST(Parallelism, WhatBelongsToTrainingIsRefusedInWords) {
  for (const char* key : {"zero: 3", "hsdp_shard: 8", "schedule: 1f1b", "virtual_stages: 2"}) {
    EXPECT_THAT(read(std::string("{tp: 2, ") + key + "}", false).mistakes,
                ElementsAre(HasSubstr("belongs to training")))
        << key;
  }
}

TEST(Parallelism, AnUnknownKeyAndAWrongDegreeAreMistakes) {
  EXPECT_THAT(read("{tpp: 2}", false).mistakes, ElementsAre(HasSubstr("unknown key 'tpp'; did you mean 'tp'?")));
  EXPECT_THAT(read("{tp: 0}", false).mistakes, ElementsAre(HasSubstr("'0' is less than 1")));
}

TEST(Parallelism, DegreesBeyondAllMeaningAreAMistakeAndNotAnOverflow) {
  for (const bool has_moe : {false, true}) {
    EXPECT_THAT(read("{tp: 9e15, dp: 9e15, attention_dp: 9e15}", has_moe).mistakes,
                ElementsAre(HasSubstr("more ranks than can be meant")));
  }
}

TEST(FitToChips, AsManyChipsAsSaidChangeNothing) {
  const Read same = fit(with(4, 2), 8);
  EXPECT_EQ(same.p.chips(), 8);
  EXPECT_THAT(same.warnings, IsEmpty());
  EXPECT_THAT(same.mistakes, IsEmpty());
}

TEST(FitToChips, MoreChipsBecomeReplicas) {
  const Read more = fit(with(8, 1), 32);
  EXPECT_EQ(more.p.dp, 4);
  EXPECT_EQ(more.p.tp, 8);
  EXPECT_THAT(more.warnings, ElementsAre("32 chips are 4 replicas of what the parallelism says; dp is 4"));
}

TEST(FitToChips, FewerChipsCutLessWhereTensorParallelismIsAllThereIs) {
  const Read fewer = fit(with(8, 1), 4);
  EXPECT_EQ(fewer.p.tp, 4);
  EXPECT_THAT(fewer.warnings, ElementsAre("tp is 4 to fit 4 chips"));
}

TEST(FitToChips, TheExpertsOfFewerChipsAreCutLessToo) {
  const Read cut = fit(with(8, 1, 1, 8), 4);
  EXPECT_EQ(cut.p.tp, 4);
  EXPECT_EQ(cut.p.moe_tp, 4);
  const Read spread = fit(with(8, 1, 2, 4), 4);
  EXPECT_EQ(spread.p.ep, 2);
  EXPECT_EQ(spread.p.moe_tp, 2);
  EXPECT_THAT(fit(with(8, 1, 8, 1), 4).mistakes, ElementsAre(HasSubstr("4 chips do not fit a parallelism of 8")));
}

TEST(FitToChips, WhatDoesNotFitIsAMistake) {
  EXPECT_THAT(
      fit(with(8, 1), 12).mistakes,
      ElementsAre(
          "chips: 12 chips do not fit a parallelism of 8; make 'chips' a multiple of the product of parallelism"));
  EXPECT_THAT(fit(with(4, 2), 4).mistakes, ElementsAre(HasSubstr("4 chips do not fit a parallelism of 8")));
}

}  // namespace
}  // namespace mlosim::plan
