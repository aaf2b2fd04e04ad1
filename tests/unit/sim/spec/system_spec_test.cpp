#include "sim/spec/system_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mlosim::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct Read {
  SystemSpec system;
  std::string mistakes;
};

Read read(const std::string& rest) {
  const Value document = parse_document("{schema: mlosim/system/1, name: s, chip: c, " + rest + "}", "s.yaml");
  Decoding decoding;
  Read result{decode_system(Node(&document, "", &decoding)), ""};
  for (const Diagnostic& diagnostic : decoding.diagnostics.list())
    result.mistakes += render_diagnostic(diagnostic) + "\n";
  return result;
}

std::string torus(const std::string& dimensions, const std::string& chips) {
  return "fabric: {topology: torus, chips: " + chips +
         ", bandwidth: 45 GB/s, latency: 500 ns, endpoint_latency: 1 us, collective_start: 7 us, wraparound: "
         "cubes_of_4, dimensions: " +
         dimensions + "}";
}

std::string pcie(const std::string& shared_path) {
  return "fabric: {topology: pcie, chips: 8, bandwidth: 32 GB/s, latency: 1 us, collective_start: 6 us, shared_path: " +
         shared_path + "}";
}

TEST(SystemSpec, WithoutAFabricAChipIsAlone) {
  const Read one = read("description: d");
  EXPECT_THAT(one.mistakes, IsEmpty());
  EXPECT_EQ(one.system.fabric.topology, Topology::none);
}

TEST(SystemSpec, ASwitchedFabricNeedsItsCollectiveLibrary) {
  const std::string fabric = "fabric: {topology: switch, chips: 8, bandwidth: 450 GB/s, latency: 500 ns}";
  EXPECT_THAT(read(fabric).mistakes, HasSubstr("key 'collectives' is missing; name the library's file"));
  const Read node = read(fabric + ", collectives: nccl");
  EXPECT_THAT(node.mistakes, IsEmpty());
  EXPECT_EQ(node.system.nccl_name, "nccl");
  EXPECT_EQ(node.system.fabric.efficiency, 1);
}

TEST(SystemSpec, ATorusHasItsSides) {
  const Read pod = read(torus("[16, 16]", "256"));
  EXPECT_THAT(pod.mistakes, IsEmpty());
  EXPECT_THAT(pod.system.fabric.dimensions, ElementsAre(16, 16));
  EXPECT_EQ(pod.system.fabric.wraparound, Wraparound::cubes_of_4);
}

TEST(SystemSpec, TheSidesOfATorusMultiplyToItsChips) {
  EXPECT_THAT(read(torus("[16, 15]", "256")).mistakes, HasSubstr("the sides multiply to 240, but 'chips' is 256"));
  EXPECT_THAT(read(torus("[9e15, 9e15, 9e15]", "256")).mistakes, HasSubstr("but 'chips' is 256"));
  EXPECT_THAT(read(torus("[]", "256")).mistakes, HasSubstr("key 'dimensions' is missing; a torus needs the sides"));
}

TEST(SystemSpec, SidesAreForATorusAlone) {
  EXPECT_THAT(
      read("collectives: n, fabric: {topology: full, chips: 8, bandwidth: 1 GB/s, latency: 1 us, dimensions: [2, 4]}")
          .mistakes,
      HasSubstr("unknown key 'dimensions'"));
}

TEST(SystemSpec, SharedPathsAreSortedByRanks) {
  const Read node = read(pcie("{8: 1.3 GB/s, 2: 18.9 GB/s, 4: 5 GB/s}"));
  EXPECT_THAT(node.mistakes, IsEmpty());
  EXPECT_THAT(node.system.fabric.shared_path, ElementsAre(Pair(2, BytesPerSecond(18.9e9)), Pair(4, BytesPerSecond(5e9)),
                                                          Pair(8, BytesPerSecond(1.3e9))));
}

TEST(SystemSpec, ASharedPathIsKeyedByANumberOfRanks) {
  for (const char* key : {"two", "1", "-2", "2.5", "8x"}) {
    EXPECT_THAT(read(pcie(std::string("{") + key + ": 1 GB/s}")).mistakes, HasSubstr("is not a number of ranks"))
        << key;
  }
  EXPECT_THAT(read(pcie("{}")).mistakes, HasSubstr("needs the bandwidth of its shared path"));
}

TEST(SystemSpec, AFabricJoinsAtLeastTwoChips) {
  EXPECT_THAT(read("collectives: n, fabric: {topology: full, chips: 1, bandwidth: 1 GB/s, latency: 1 us}").mistakes,
              HasSubstr("'1' is less than 2"));
}

TEST(SystemSpec, AnUnknownTopologyIsAnsweredWithTheNearest) {
  EXPECT_THAT(read("fabric: {topology: toros, chips: 8, bandwidth: 1 GB/s, latency: 1 us}").mistakes,
              HasSubstr("did you mean 'torus'?"));
}

TEST(SystemSpec, BeyondTheNodeThereMayBeANetwork) {
  const Read node = read("scale_out: {bandwidth: 50 GB/s, latency: 5 us}");
  EXPECT_THAT(node.mistakes, IsEmpty());
  EXPECT_DOUBLE_EQ(node.system.scale_out->latency.si(), 5e-6);
  EXPECT_THAT(read("scale_out: {bandwidth: 50 GB/s}").mistakes, HasSubstr("key 'latency' is missing"));
}

}  // namespace
}  // namespace mlosim::spec
