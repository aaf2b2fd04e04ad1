#include "sim/spec/scale_out.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlosim::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  ScaleOut network;
  std::string mistakes;
};

Read read(const std::string& rest) {
  const Value document = parse_document("{bandwidth: 50 GB/s, latency: 1 us, " + rest + "}", "s.yaml");
  Decoding decoding;
  Read result{decode_scale_out(Node(&document, "", &decoding), 8), ""};
  for (const Diagnostic& diagnostic : decoding.diagnostics.list())
    result.mistakes += render_diagnostic(diagnostic) + "\n";
  return result;
}

TEST(ScaleOut, ARailOfAFatTreeHasALeafOfItsOwn) {
  EXPECT_EQ(read("topology: fat_tree, radix: 64, rails: 8").network.nodes_per_leaf, 32);
  EXPECT_EQ(read("topology: fat_tree, radix: 64").network.nodes_per_leaf, 4);
  EXPECT_EQ(read("topology: fat_tree, radix: 64, rails: 8, oversubscription: 3").network.nodes_per_leaf, 48);
}

TEST(ScaleOut, WithoutASayEverythingIsOneSwitch) {
  const Read plain = read("efficiency: 0.9");
  EXPECT_THAT(plain.mistakes, IsEmpty());
  EXPECT_EQ(plain.network.topology, ScaleOutTopology::switched);
  EXPECT_EQ(plain.network.exchange_efficiency, 0.9);
}

TEST(ScaleOut, ListsItsFaults) {
  const Read faulty = read("degraded: [{link: node3.nic2, bandwidth: 25 GB/s}], failed: [node1.nic0]");
  EXPECT_THAT(faulty.mistakes, IsEmpty());
  ASSERT_EQ(faulty.network.faults.size(), 2u);
  EXPECT_EQ(faulty.network.faults[0].link, "node3.nic2");
  EXPECT_EQ(faulty.network.faults[0].bandwidth, BytesPerSecond(25e9));
  EXPECT_EQ(faulty.network.faults[1].bandwidth, BytesPerSecond(0));
}

TEST(ScaleOut, EachTopologyNeedsItsOwn) {
  EXPECT_THAT(read("topology: torus").mistakes, HasSubstr("a torus of nodes needs its sides"));
  EXPECT_THAT(read("topology: torus, dimensions: [4, 2]").network.dimensions, ElementsAre(4, 2));
  EXPECT_THAT(read("topology: fat_tree").mistakes, HasSubstr("key 'radix' is missing"));
  EXPECT_THAT(read("topology: full").mistakes, HasSubstr("key 'nodes' is missing"));
  EXPECT_THAT(read("radix: 64").mistakes, HasSubstr("unknown key 'radix'"));
}

}  // namespace
}  // namespace mlosim::spec
