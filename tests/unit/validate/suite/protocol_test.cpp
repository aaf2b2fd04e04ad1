#include "validate/suite/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/spec/diagnostics.hpp"
#include "tests/unit/validate/suite/tables.hpp"

namespace mlosim::suite {
namespace {

using testing::HasSubstr;

TEST(Protocol, AStarStandsForAnyText) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("trtllm *", "trtllm 1.0.0"));
  EXPECT_TRUE(matches("trtllm * mla_gen_*", "trtllm 1.0.0 mla_gen_pre"));
  EXPECT_TRUE(matches("*a*b*", "xxaxxabx"));
  EXPECT_FALSE(matches("trtllm *", "vllm 1.0.0"));
  EXPECT_FALSE(matches("trtllm", "trtllm 1"));
  EXPECT_FALSE(matches("a*b", "ac"));
}

TEST(Protocol, TheFirstEntryThatMatchesIsTaken) {
  const TableFolder folder(
      "host: 5 us\n"
      "software:\n"
      "  - {match: \"x *\", kind: \"add*\", runtime: vllm}\n"
      "  - {match: \"x *\", has_power: true, sustained: true}\n"
      "  - {match: \"x *\", host: 7 us, host_by_device: {h100_sxm: 9 us}, added: 3 us, "
      "added_by_device: {a40: 4 us}}\n");
  const ProtocolBook book(folder.library());
  const auto find = [&](std::string_view kind, bool has_power) {
    return book.find({.source = "bench", .software = "x 1", .op = "gemm", .kind = kind, .has_power = has_power});
  };
  EXPECT_EQ(find("add", false)->runtime, "vllm");
  EXPECT_DOUBLE_EQ(find("add", false)->host.si(), 5e-6);
  EXPECT_TRUE(find("", true)->sustained);
  EXPECT_FALSE(find("", false)->sustained);
  EXPECT_DOUBLE_EQ(find("", false)->host_on("a40").si(), 7e-6);
  EXPECT_DOUBLE_EQ(find("", false)->host_on("h100_sxm").si(), 9e-6);
  EXPECT_DOUBLE_EQ(find("", false)->added_on("h100_sxm").si(), 3e-6);
  EXPECT_DOUBLE_EQ(find("", false)->added_on("a40").si(), 4e-6);
  EXPECT_EQ(book.find({.source = "bench", .software = "y 1", .op = "gemm", .kind = ""})->name, "standard: *");
}

TEST(Protocol, AMistakeIsRefusedWithItsPlaceAndTheNearestSpelling) {
  const TableFolder folder("lunch: graph\n");
  try {
    const ProtocolBook book(folder.library());
    FAIL() << "a misspelt key passed";
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("a_bench.yaml:5:1"));
    EXPECT_THAT(error.what(), HasSubstr("launch"));
  }
}

TEST(Protocol, EveryBuiltInProtocolNamesRuntimesAndSystemsThatExist) {
  const spec::Library library({MLOSIM_SOURCE_DIR});
  const ProtocolBook book(library);
  ASSERT_FALSE(book.protocols().empty());
  for (const Protocol& p : book.protocols()) {
    if (!p.runtime.empty()) {
      EXPECT_TRUE(library.find(spec::Shelf::runtimes, p.runtime)) << p.name << ": " << p.runtime;
    }
    for (const auto& [topology, system] : p.systems)
      EXPECT_TRUE(library.find(spec::Shelf::systems, system)) << p.name << ": " << system;
    for (const auto& [device, host] : p.host_by_device)
      EXPECT_TRUE(library.find(spec::Shelf::chips, device)) << p.name << ": " << device;
  }
}

}  // namespace
}  // namespace mlosim::suite
