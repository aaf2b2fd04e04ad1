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

// What is wrong with a protocol of these fields.
std::string mistake_of(const std::string& fields) {
  const TableFolder folder(fields);
  try {
    const ProtocolBook book(folder.library());
    return "none";
  } catch (const spec::InputError& error) {
    return error.what();
  }
}

TEST(Protocol, ANameThatTheLibraryDoesNotHaveIsRefusedWithItsPlaceAndTheNearest) {
  EXPECT_THAT(mistake_of("runtime: vlm\n"),
              HasSubstr("a_bench.yaml:5:10: protocol.runtime: no runtime is called 'vlm'; did you mean 'vllm'"));
  EXPECT_THAT(mistake_of("device: h100_sxn\n"), HasSubstr("protocol.device: no chip's name matches 'h100_sxn'"));
  EXPECT_THAT(mistake_of("host_by_device: {h100_sxn: 9 us}\n"),
              HasSubstr("protocol.host_by_device.h100_sxn: no chip is called 'h100_sxn'; did you mean 'h100_sxm'"));
  EXPECT_THAT(mistake_of("added_by_device: {a4: 9 us}\n"), HasSubstr("no chip is called 'a4'"));
  EXPECT_THAT(mistake_of("systems: {\"x:2\": dgx_h10}\n"), HasSubstr("no system is called 'dgx_h10'; did you mean"));
  EXPECT_THAT(mistake_of("operators: {norm: rmsnrm}\n"), HasSubstr("a_bench.yaml:5:19: protocol.operators.norm: "));
  EXPECT_THAT(mistake_of("operators: {norm: rmsnrm}\n"), HasSubstr("did you mean 'rmsnorm'"));
  EXPECT_THAT(mistake_of("formats: {fp8: bf61}\n"),
              HasSubstr("protocol.formats.fp8: no format is called 'bf61'; did you mean 'bf16'"));
  EXPECT_THAT(mistake_of("software: [{match: \"*\", runtime: nothing}]\n"),
              HasSubstr("protocol.software.0.runtime: no runtime is called 'nothing'"));
}

TEST(Protocol, AKernelIsOneOfItsRuntimesByTheStartOfItsName) {
  EXPECT_EQ(mistake_of("runtime: vllm\nkernel: triton\n"), "none");
  EXPECT_EQ(mistake_of("runtime: vllm\nkernel: trtllm_g\n"), "none");
  EXPECT_EQ(mistake_of("kernel: triton\n"), "none");
  EXPECT_THAT(
      mistake_of("runtime: vllm\nkernel: tritn\n"),
      HasSubstr("a_bench.yaml:6:9: protocol.kernel: no kernel of 'vllm' is called 'tritn'; did you mean 'triton'"));
  EXPECT_THAT(mistake_of("runtime: vllm\nsoftware: [{match: \"*\", kernel: nothing}]\n"),
              HasSubstr("protocol.software.0.kernel: no kernel of 'vllm' is called 'nothing'"));
}

TEST(Protocol, NamesOfWhatExistsPass) {
  EXPECT_EQ(mistake_of("runtime: vllm\ndevice: \"h100_*\"\nhost_by_device: {h100_sxm: 9 us}\n"
                       "systems: {\"x:2\": dgx_h100, \"x:1\": h100_sxm}\noperators: {norm: rmsnorm}\n"
                       "formats: {fp8: bf16}\n"),
            "none");
}

TEST(Protocol, ExpertsWithoutAGateAreSaidByHiddenAndInter) {
  EXPECT_EQ(mistake_of("ungated_experts: [[2688, 1856], [8192, 5120]]\n"), "none");
  EXPECT_THAT(mistake_of("ungated_experts: [[2688]]\n"),
              HasSubstr("protocol.ungated_experts.0: expected two numbers, hidden and inter"));
}

TEST(Protocol, AKernelIsLaunchedByTheHostOrReplayed) {
  EXPECT_THAT(mistake_of("launch: compiled\n"), HasSubstr("protocol.launch"));
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
