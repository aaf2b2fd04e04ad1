#include "sim/net/group_layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/spec/diagnostics.hpp"
#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::net {
namespace {

using testing::HasSubstr;

GroupLayout place(std::int64_t ranks, std::int64_t stride, std::int64_t chips = 8) {
  spec::SystemSpec system = h100_node();
  system.fabric.chips = chips;
  system.scale_out = spec::ScaleOut{};
  return place_group({.ranks = ranks, .stride = stride}, system);
}

void expect(const GroupLayout& layout, std::int64_t per_node, std::int64_t nodes, std::int64_t node_step) {
  EXPECT_EQ(layout.per_node, per_node);
  EXPECT_EQ(layout.nodes, nodes);
  EXPECT_EQ(layout.node_step, node_step);
}

TEST(GroupLayout, AGroupThatFitsIntoANodeStaysThere) {
  expect(place(8, 1), 8, 1, 1);
  expect(place(3, 1), 3, 1, 1);
  expect(place(4, 2), 4, 1, 1);
}

TEST(GroupLayout, ALargerOneFillsNodes) {
  expect(place(1024, 1), 8, 128, 1);
  expect(place(16, 4), 2, 8, 1);
}

TEST(GroupLayout, RanksANodeOrMoreApartAreAloneInTheirs) {
  expect(place(16, 8), 1, 16, 1);
  expect(place(16, 64), 1, 16, 8);
}

TEST(GroupLayout, TakesEqualBlocksOfAnNvlinkDomain) {
  expect(place(256, 1, 72), 64, 4, 1);
  expect(place(32, 8, 72), 8, 4, 1);
  expect(place(4, 64, 72), 1, 4, 1);
  expect(place(144, 1, 72), 72, 2, 1);
}

TEST(GroupLayout, RefusesRanksThatDoNotFillNodes) {
  try {
    place(13, 3);
    FAIL();
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("13 ranks, 3 chips apart, do not fill nodes of 8 chips evenly"));
  }
}

}  // namespace
}  // namespace mlosim::net
