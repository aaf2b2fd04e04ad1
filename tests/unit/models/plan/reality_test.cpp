#include "models/plan/reality.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/spec/document.hpp"

namespace mlosim::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  Reality reality;
  std::vector<std::string> mistakes;
};

Read read(const std::string& text, std::int64_t ranks = 64) {
  const spec::Value document = spec::parse_document("{reality: " + text + "}", "w.yaml");
  spec::Decoding decoding;
  Read result{decode_reality(spec::Node(&document, "", &decoding).child("reality"), ranks), {}};
  for (const spec::Diagnostic& d : decoding.diagnostics.list()) result.mistakes.push_back(spec::render_diagnostic(d));
  return result;
}

TEST(Reality, IsIdealWhereNothingIsSaid) {
  spec::Decoding decoding;
  EXPECT_TRUE(decode_reality(spec::Node(nullptr, "reality", &decoding), 8).is_ideal());
  EXPECT_TRUE(decoding.diagnostics.empty());
  EXPECT_TRUE(read("{seed: 3}").reality.is_ideal());
}

TEST(Reality, AllOfItIsOneBlock) {
  const Read r = read(
      "{seed: 5, spread: {distribution: lognormal, deviation: 0.01}, stragglers: [{rank: 17, slowdown: 1.3}],"
      " jitter: {deviation: 0.005},"
      " failures: {chip_mtbf: 50.7e3 h, detection: 2 min, restart: 5 min, repair: 1 day, spares: 4, needs_repair: 0.8},"
      " checkpoint: {storage: 2 TB/s, snapshot: 400 TB/s, interval: 30 min}}");
  EXPECT_THAT(r.mistakes, IsEmpty());
  EXPECT_FALSE(r.reality.is_ideal());
  EXPECT_EQ(r.reality.slow_ranks.seed, 5);
  EXPECT_EQ(r.reality.slow_ranks.spread->distribution, Spread::Distribution::lognormal);
  EXPECT_EQ(r.reality.slow_ranks.stragglers.at(0).rank, 17);
  EXPECT_EQ(r.reality.jitter->deviation, 0.005);
  EXPECT_DOUBLE_EQ(r.reality.failures->chip_mtbf.si(), 50.7e3 * 3600);
  EXPECT_EQ(r.reality.failures->repair, Seconds(86400));
  EXPECT_EQ(r.reality.failures->spares, 4);
  EXPECT_EQ(r.reality.checkpoints->interval, Seconds(1800));
  EXPECT_EQ(r.reality.checkpoints->snapshot, BytesPerSecond(400e12));
}

TEST(Reality, FailuresAreThoseOfAChipOrOfANode) {
  const Read r = read("{failures: {node_mtbf: 1e4 h, node_chips: 8}, checkpoint: {storage: 1 TB/s}}");
  EXPECT_THAT(r.mistakes, IsEmpty());
  EXPECT_DOUBLE_EQ(r.reality.failures->chip_mtbf.si(), 8e4 * 3600);
  EXPECT_THAT(read("{failures: {node_mtbf: 1e4 h}, checkpoint: {storage: 1 TB/s}}").mistakes,
              ElementsAre(HasSubstr("node_chips")));
  EXPECT_THAT(
      read("{failures: {node_mtbf: 1e4 h, node_chips: 8, chip_mtbf: 1 h}, checkpoint: {storage: 1 TB/s}}").mistakes,
      ElementsAre(HasSubstr("given twice")));
}

TEST(Reality, EachPartStandsAlone) {
  EXPECT_THAT(read("{stragglers: [{rank: 0, slowdown: 2}]}").mistakes, IsEmpty());
  EXPECT_THAT(read("{spread: {deviation: 0.02}}").mistakes, IsEmpty());
  EXPECT_THAT(read("{checkpoint: {storage: 1 GB/s}}").mistakes, IsEmpty());
}

TEST(Reality, StragglersAreRanksOfTheJobAndSlow) {
  EXPECT_THAT(read("{stragglers: [{rank: 64, slowdown: 1.5}]}").mistakes,
              ElementsAre(AllOf(HasSubstr("w.yaml:1:"), HasSubstr("no rank 64 among 64"))));
  EXPECT_THAT(read("{stragglers: [{rank: 1, slowdown: 0.5}]}").mistakes, ElementsAre(HasSubstr("at least as long")));
  EXPECT_THAT(read("{stragglers: [{rank: 1, slowdown: 2}, {rank: 1, slowdown: 3}]}").mistakes,
              ElementsAre(HasSubstr("rank 1 is there twice")));
  EXPECT_THAT(read("{stragglers: {rank: 1, slowdown: 2}}").mistakes, ElementsAre(HasSubstr("stragglers are a list")));
}

TEST(Reality, WhatCannotBeMeantIsSaid) {
  EXPECT_THAT(read("{spread: {deviation: 0.5}}").mistakes, ElementsAre(HasSubstr("too much")));
  EXPECT_THAT(read("{jitter: {deviation: 30}}").mistakes, ElementsAre(HasSubstr("too much")));
  EXPECT_THAT(read("{failures: {chip_mtbf: 5e4 h}}").mistakes, ElementsAre(HasSubstr("add 'checkpoint'")));
  EXPECT_THAT(read("{failures: {chip_mtbf: 5e4 h, spares: 2}, checkpoint: {storage: 1 TB/s}}").mistakes,
              ElementsAre(HasSubstr("add 'repair'")));
  EXPECT_THAT(read("{failures: {chip_mtbf: 5e4 GB}, checkpoint: {storage: 1 TB/s}}").mistakes,
              ElementsAre(HasSubstr("expected a time")));
  EXPECT_THAT(read("{straglers: []}").mistakes, ElementsAre(HasSubstr("stragglers")));
  EXPECT_THAT(read("7").mistakes, testing::SizeIs(1));
}

TEST(Reality, AllMistakesAreReportedAtOnce) {
  EXPECT_THAT(read("{spread: {deviation: 0.5}, stragglers: [{rank: 99, slowdown: 2}], failures: {}}").mistakes,
              testing::SizeIs(testing::Ge(3U)));
}

}  // namespace
}  // namespace mlosim::plan
