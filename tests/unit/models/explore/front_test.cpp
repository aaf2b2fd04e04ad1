#include "models/explore/front.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mlosim::explore {
namespace {

// Time is to be small, throughput large.
std::vector<BoundObjective> objectives() {
  return {{.name = "time", .expression = {}, .maximises = false},
          {.name = "rate", .expression = {}, .maximises = true}};
}

std::vector<Point> points_of(const std::vector<std::vector<double>>& objectives) {
  std::vector<Point> points;
  for (const auto& values : objectives) {
    Point& point = points.emplace_back();
    point.number = points.size() - 1;
    point.objectives = values;
    if (values.empty()) point.reason = "infeasible";
  }
  return points;
}

using Indices = std::vector<std::size_t>;

TEST(Front, HoldsWhatNoOtherPointBeatsInEverything) {
  const auto points = points_of({{1, 1}, {2, 3}, {2, 2}, {}, {3, 3}, {0.5, 0.5}});
  EXPECT_EQ(find_front(points, objectives()), (Indices{0, 1, 5}));
}

TEST(Front, OfEqualsTheFirstStays) {
  EXPECT_EQ(find_front(points_of({{1, 1}, {1, 1}, {1, 2}, {1, 2}}), objectives()), (Indices{2}));
}

TEST(Front, TheBestAreInTheOrderOfTheFirstObjective) {
  EXPECT_EQ(find_best(points_of({{3, 0}, {}, {1, 0}, {2, 0}, {1, 9}}), objectives(), 3), (Indices{2, 4, 3}));
}

TEST(Front, OfOneDesignThatWasMetAgainOneIsAmongTheBest) {
  auto points = points_of({{3, 0}, {1, 0}, {1, 0}, {2, 0}, {1, 0}});
  for (Point& point : points) point.at = {point.objectives.front()};
  EXPECT_EQ(find_best(points, objectives(), 3), (Indices{1, 3, 0}));
  points[2].at = {7};
  EXPECT_EQ(find_best(points, objectives(), 3), (Indices{1, 2, 3})) << "another design of the same worth";
}

TEST(Front, DoesNotDependOnHowPointsWereThinnedOut) {
  std::vector<std::vector<double>> values;
  for (int i = 0; i < 500; ++i)
    values.push_back({static_cast<double>(i * 7919 % 101), static_cast<double>(i * 104729 % 97)});
  const auto all = points_of(values);
  std::vector<Point> parts;
  for (std::size_t first = 0; first < all.size(); first += 50) {
    std::vector<Point> part(all.begin() + static_cast<long>(first), all.begin() + static_cast<long>(first) + 50);
    keep_survivors(part, objectives(), 0);
    parts.insert(parts.end(), part.begin(), part.end());
  }
  ASSERT_LT(parts.size(), all.size());
  const auto numbers = [](const std::vector<Point>& points, const Indices& indices) {
    std::vector<std::uint64_t> list;
    for (const std::size_t i : indices) list.push_back(points[i].number);
    return list;
  };
  EXPECT_EQ(numbers(parts, find_front(parts, objectives())), numbers(all, find_front(all, objectives())));
  EXPECT_EQ(numbers(parts, find_best(parts, objectives(), kBestKept)),
            numbers(all, find_best(all, objectives(), kBestKept)));
}

TEST(Front, EachGroupKeepsItsOwn) {
  auto points = points_of({{1, 9}, {2, 8}, {50, 1}, {60, 0}});
  for (int i = 0; i < 20; ++i) points.push_back(points_of({{3, 3}}).front());
  for (std::size_t i = 0; i < points.size(); ++i) points[i].number = i;
  keep_survivors(points, objectives(), 2);
  EXPECT_EQ(points[0].number, 0U);
  EXPECT_EQ(points[1].number, 1U) << "among the ten best";
  EXPECT_EQ(points[2].number, 2U) << "on the front of its group";
}

TEST(ChunkBytes, ComeBackAsTheyWere) {
  ChunkResult result;
  result.points = 5;
  result.feasible = 1;
  result.count_infeasible("3 chips are no multiple of 2", 4);
  result.kept = points_of({{1.5, 2}, {}});
  result.kept[0].at = {1, 2, 3};
  const ChunkResult back = decode_result(encode_result(result));
  EXPECT_EQ(back.points, 9U);
  EXPECT_EQ(back.reasons, (std::map<std::string, std::uint64_t>{{"# chips are no multiple of #", 4}}));
  EXPECT_EQ(back.kept[0].at, result.kept[0].at);
  EXPECT_EQ(back.kept[1].reason, "infeasible");
  EXPECT_EQ(encode_result(back), encode_result(result));
  EXPECT_THROW(decode_result(encode_result(result).substr(0, 40)), spec::InputError);
}

}  // namespace
}  // namespace mlosim::explore
