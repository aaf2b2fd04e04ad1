#include "sim/spec/spelling.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mlosim::spec {
namespace {

const std::vector<std::string> kWords{"bandwidth", "capacity", "latency"};

TEST(Spelling, ASlipOfThePenIsRecognised) {
  EXPECT_EQ(nearest_spelling("bandwith", kWords), "bandwidth");    // a letter is missing
  EXPECT_EQ(nearest_spelling("banndwidth", kWords), "bandwidth");  // one too many
  EXPECT_EQ(nearest_spelling("latenzy", kWords), "latency");       // another one
  EXPECT_EQ(nearest_spelling("cpaacity", kWords), "capacity");     // two the wrong way round
}

TEST(Spelling, TransposedLettersCountOnce) {
  EXPECT_EQ(nearest_spelling("pt", {"tp"}), "tp");
  EXPECT_EQ(nearest_spelling("ab", {"cd"}), "");
}

TEST(Spelling, AnotherWordIsNoSlip) {
  EXPECT_EQ(nearest_spelling("colour", kWords), "");
  EXPECT_EQ(nearest_spelling("", kWords), "");
  EXPECT_EQ(nearest_spelling("bandwidth", {}), "");
}

TEST(Spelling, OfEquallyNearWordsTheFirstIsTaken) { EXPECT_EQ(nearest_spelling("rat", {"cat", "hat"}), "cat"); }

TEST(Spelling, HostileWordsCostNothing) {
  EXPECT_EQ(nearest_spelling(std::string(10'000'000, 'x'), kWords), "");
  EXPECT_EQ(nearest_spelling("bandwith", {std::string(10'000'000, 'x'), "bandwidth"}), "bandwidth");
}

TEST(SpellingHint, TheNearestWordIsAsked) { EXPECT_EQ(spelling_hint("bandwith", kWords), "did you mean 'bandwidth'?"); }

TEST(SpellingHint, WhereNoneIsNearTheWordsAreListed) {
  EXPECT_EQ(spelling_hint("colour", kWords), "one of: bandwidth, capacity, latency");
  EXPECT_EQ(spelling_hint("colour", {}), "");
}

TEST(SpellingHint, AtMostTwelveAreListed) {
  std::vector<std::string> many;
  for (char c = 'a'; c <= 'z'; ++c) many.emplace_back(9, c);
  const std::string hint = spelling_hint("0123456", many);
  EXPECT_NE(hint.find("lllllllll, …"), std::string::npos) << hint;
  EXPECT_EQ(hint.find("mmmmmmmmm"), std::string::npos) << hint;
}

}  // namespace
}  // namespace mlosim::spec
