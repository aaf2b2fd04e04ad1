// Watts and dollars around the chips: parts that add up, layers that lie over each other, mistakes that are found.
#include "models/predict/economics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "models/predict/render.hpp"
#include "tests/unit/models/predict/workloads.hpp"

namespace mlosim::predict {
namespace {

using testing::HasSubstr;

// Four chips for ten seconds at 100 W each, 40 tokens.
Evaluation run_of_ten_seconds() {
  Evaluation e;
  e.chips = 4;
  e.tokens = 40;
  e.total.makespan = Seconds(10);
  e.total.energy = Joules(1000);
  e.total.energy_parts.fabric = Joules(5);
  return e;
}

spec::EconomicsChoice owned() {
  return {.basis = spec::CostBasis::own,
          .price = {},
          .capital = Dollars(1000),
          .surcharge = 0.5,
          .lifetime = Seconds(1000),
          .utilisation = 0.5,
          .electricity = spec::DollarsPerJoule(1e-3),
          .pue = 2.0,
          .carbon_g_per_kwh = 360.0};
}

TEST(Economics, TheFacilityDrawsChipsLinksNodesAndCooling) {
  spec::SystemSpec system;
  system.node = spec::NodeSpec{.chips = 8, .power = Watts(80)};
  const Economics e = estimate_economics(run_of_ten_seconds(), system, owned());
  EXPECT_DOUBLE_EQ(e.links.si(), 20);
  EXPECT_DOUBLE_EQ(e.host.si(), 400);  // half of the node's 80 W for 10 s
  EXPECT_DOUBLE_EQ(e.facility.value().si(), 2 * (4000 + 20 + 400));
  EXPECT_DOUBLE_EQ(e.carbon_g.value(), 8840 / 3.6e6 * 360);
  EXPECT_DOUBLE_EQ(e.tokens_per_joule.value(), 40 / 8840.0);
}

TEST(Economics, WhatIsOwnedIsWrittenOffOverItsLifeAtWork) {
  const Economics e = estimate_economics(run_of_ten_seconds(), {}, owned());
  ASSERT_TRUE(e.bill);
  EXPECT_EQ(e.bill->basis, spec::CostBasis::own);
  EXPECT_DOUBLE_EQ(e.bill->chips.si(), 1500 * 40.0 / 500);  // chip-seconds over those of a life
  EXPECT_DOUBLE_EQ(e.bill->electricity.si(), e.facility->si() * 1e-3);
  EXPECT_DOUBLE_EQ(e.per_million_tokens->si(), e.bill->total().si() / 40 * 1e6);
}

TEST(Economics, ARentedChipIsPaidByItsTimeAlone) {
  spec::SystemSpec system;
  system.chip.price = DollarsPerSecond(2);
  spec::EconomicsChoice choice;
  const Economics e = estimate_economics(run_of_ten_seconds(), system, choice);
  ASSERT_TRUE(e.bill);
  EXPECT_DOUBLE_EQ(e.bill->total().si(), 80);
  EXPECT_FALSE(e.facility);  // no pue is known
  choice.price = DollarsPerSecond(3);
  EXPECT_DOUBLE_EQ(estimate_economics(run_of_ten_seconds(), system, choice).bill->total().si(), 120);
}

TEST(Economics, ThereIsNoBillWithoutPriceOrCapital) {
  EXPECT_FALSE(estimate_economics(run_of_ten_seconds(), {}, {}).bill);
  spec::EconomicsChoice half = owned();
  half.lifetime = {};
  EXPECT_FALSE(estimate_economics(run_of_ten_seconds(), {}, half).bill);
}

TEST(Economics, UsefulTokensCostWhatFailuresWaste) {
  Evaluation e = run_of_ten_seconds();
  e.goodput.emplace();
  e.goodput->useful = 0.8;
  const Economics economics = estimate_economics(e, {}, owned());
  EXPECT_DOUBLE_EQ(economics.per_million_useful_tokens->si(), economics.per_million_tokens->si() / 0.8);
}

TEST(Economics, ALayerCountsFieldByField) {
  const spec::EconomicsChoice above{.basis = {},
                                    .price = DollarsPerSecond(1),
                                    .capital = {},
                                    .surcharge = {},
                                    .lifetime = {},
                                    .utilisation = {},
                                    .electricity = {},
                                    .pue = 1.1,
                                    .carbon_g_per_kwh = {}};
  const spec::EconomicsChoice both = above.over(owned());
  EXPECT_EQ(both.price, DollarsPerSecond(1));
  EXPECT_EQ(both.pue, 1.1);
  EXPECT_EQ(both.capital, Dollars(1000));
}

class EconomicsOfAWorkload : public testing::Test, protected Desk {};

TEST_F(EconomicsOfAWorkload, ItsOwnBlockCounts) {
  const Prediction p = predict(decode_text("economics: {price: 4 USD/h, pue: 1.5}"));
  EXPECT_DOUBLE_EQ(p.cost->si(), 4.0 / 3600 * p.evaluation.total.makespan.si());
  EXPECT_DOUBLE_EQ(p.economics.facility->si(), 1.5 * p.energy.si());
  const Prediction set = predict_with(decode_text(), {{"economics.price", "4 USD/h"}});
  EXPECT_DOUBLE_EQ(set.cost->si() / set.evaluation.total.makespan.si(), 4.0 / 3600);
}

TEST_F(EconomicsOfAWorkload, MistakesAreFoundWhereTheyAre) {
  EXPECT_THAT(mistake(decode_text("economics: {pue: 0.9}")), HasSubstr("economics.pue"));
  EXPECT_THAT(mistake(decode_text("economics: {pew: 1.2}")), HasSubstr("pue"));
  EXPECT_THAT(mistake(decode_text("economics: {basis: lease}")), HasSubstr("rent"));
  EXPECT_THAT(mistake(decode_text("economics: {utilisation: 1.2}")), HasSubstr("economics.utilisation"));
  EXPECT_THAT(mistake(decode_text("economics: {capital: 3 W}")), HasSubstr("amount of money"));
}

TEST_F(EconomicsOfAWorkload, ABasisWithoutItsNumbersIsSaidToBeSo) {
  const Prediction p = predict(decode_text("economics: {basis: own}"));
  EXPECT_FALSE(p.cost);
  EXPECT_THAT(p.warnings, testing::Contains(HasSubstr("economics.capital")));
}

TEST_F(EconomicsOfAWorkload, PartsOfTheEnergyAddUpToIt) {
  PredictOptions options;
  options.fidelity = chip::Fidelity::analytic;
  const Prediction p = predict(decode_text("parallelism: {tp: 8}, economics: {pue: 1.5}", "toy_8"), options);
  const auto json = nlohmann::json::parse(render_json(p, {.version = "0", .seconds = 0}));
  const auto& parts = json.at("energy_breakdown_j");
  double chips =
      parts.at("static").get<double>() + parts.at("vector").get<double>() + parts.at("device_memory").get<double>();
  for (const auto& [dtype, energy] : parts.at("matrix").items()) chips += energy.get<double>();
  EXPECT_NEAR(chips / json.at("energy_j").get<double>(), 1, 1e-9);
  const double all = chips + parts.at("fabric").get<double>() + parts.at("scale_out").get<double>() +
                     parts.at("host").get<double>() + parts.at("cooling").get<double>();
  EXPECT_NEAR(all / json.at("facility_energy_j").get<double>(), 1, 1e-9);
}

TEST_F(EconomicsOfAWorkload, WhatChipsSendEachOtherCostsEnergy) {
  const std::string text = decode_text("parallelism: {tp: 8}", "toy_8");
  const Prediction none = predict_with(text, {});
  const Prediction some = predict_with(text, {{"system.fabric.energy", "100 pJ/B"}});
  const Prediction more = predict_with(text, {{"system.fabric.energy", "200 pJ/B"}});
  EXPECT_EQ(none.economics.links, Joules(0));
  EXPECT_GT(some.economics.links, Joules(0));
  EXPECT_NEAR(more.economics.links / some.economics.links, 2, 1e-9);
  EXPECT_EQ(some.evaluation.total.makespan, none.evaluation.total.makespan);
}

}  // namespace
}  // namespace mlosim::predict
