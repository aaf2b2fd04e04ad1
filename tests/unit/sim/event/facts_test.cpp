#include "sim/event/facts.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace mlosim::event {
namespace {

TEST(Facts, AreNotBuiltWhenNobodyListens) {
  const Facts<StallFact> facts;
  bool is_built = false;
  facts.emit([&] {
    is_built = true;
    return StallFact{.who = "x", .reason = StallReason::slot, .from = Time(), .until = Time()};
  });
  EXPECT_FALSE(is_built);
}

TEST(Facts, EveryStallReasonHasItsOwnName) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(StallReason::throttle); ++i) {
    names.push_back(name_of(static_cast<StallReason>(i)));
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(names.size(), 11u);
}

}  // namespace
}  // namespace mlosim::event
