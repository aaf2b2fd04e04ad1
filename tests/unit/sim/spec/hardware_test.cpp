#include "sim/spec/hardware.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HardwareTest : public testing::Test {
 protected:
  std::vector<std::string> warnings_of(const std::string& system, const std::string& runtime) {
    std::vector<std::string> warnings;
    read_hardware(small.library(), system, {.name = runtime, .trains = false}, warnings);
    return warnings;
  }
  std::string mistake_of(const std::string& system,
                         const std::vector<std::pair<std::string, std::string>>& overrides = {}) {
    try {
      small.hardware(system, overrides);
      return "none";
    } catch (const InputError& error) {
      return error.what();
    }
  }

  SmallLibrary small;
};

TEST_F(HardwareTest, AChipIsItsFamilyWithItsOwnNumbersLaidOver) {
  const ChipSpec chip = small.hardware("toy").system.chip;
  EXPECT_EQ(chip.name, "toy");
  EXPECT_EQ(chip.units, 100);                                       // its own
  EXPECT_EQ(chip.device_memory().bandwidth, BytesPerSecond(1e12));  // its own
  EXPECT_EQ(chip.device_memory().policy, Policy::memory);           // its family's
  EXPECT_EQ(chip.power.cap, Watts(500));                            // its own
  EXPECT_EQ(chip.power.static_share, 0.2);                          // its family's
}

TEST_F(HardwareTest, AChipAloneIsASystemOfOne) {
  const SystemSpec system = small.hardware("toy").system;
  EXPECT_EQ(system.name, "toy");
  EXPECT_EQ(system.fabric.topology, Topology::none);
  EXPECT_FALSE(system.nccl.has_value());
  EXPECT_FALSE(system.scale_out.has_value());
}

TEST_F(HardwareTest, ASystemBringsItsChipAndItsCollectives) {
  const SystemSpec system = small.hardware("toy_8").system;
  EXPECT_EQ(system.name, "toy_8");
  EXPECT_EQ(system.chip.name, "toy");
  EXPECT_EQ(system.fabric.chips, 8);
  EXPECT_EQ(system.scale_out->bandwidth, BytesPerSecond(50e9));
  ASSERT_TRUE(system.nccl.has_value());
  EXPECT_TRUE(system.nccl->direct.has_value());
}

TEST_F(HardwareTest, ASystemMayBeAFileAndSoMayAChip) {
  const std::string system = small.write("mine/node.yaml", std::string(kToyNode));
  const std::string chip = small.write("mine/chip.yaml", kToyChip);
  EXPECT_EQ(small.hardware(system).system.fabric.chips, 8);
  EXPECT_EQ(small.hardware(chip).system.name, "toy");
}

TEST_F(HardwareTest, AnUnknownSystemIsAnsweredWithTheNearestSystemOrChip) {
  EXPECT_EQ(mistake_of("toy_9"), "system: no system or chip is called 'toy_9'; did you mean 'toy_8'?");
  EXPECT_EQ(mistake_of("ty"), "system: no system or chip is called 'ty'; did you mean 'toy'?");
  EXPECT_THAT(mistake_of("tpu_v4_pod"), HasSubstr("one of: toy_8, grid, old, toy"));
}

TEST_F(HardwareTest, NamesThatASpecGetsWrongAreReportedAtTheirPlace) {
  const std::string node = small.write("hw_specs/systems/bad.yaml", "schema: mlosim/system/1\nname: bad\nchip: toi\n");
  EXPECT_EQ(mistake_of("bad"), node + ":3:7: no chip is called 'toi'; did you mean 'toy'?");
  const std::string chip = small.write("hw_specs/chips/bad_chip.yaml", "schema: mlosim/chip/1\nfamily: plan\n");
  EXPECT_EQ(mistake_of("bad_chip"), chip + ":2:9: no family is called 'plan'; did you mean 'plain'?");
  const std::string library = small.write("hw_specs/systems/bad2.yaml", "chip: toy\ncollectives: diret\n");
  EXPECT_EQ(mistake_of("bad2"), library + ":2:14: no family is called 'diret'; did you mean 'direct'?");
}

TEST_F(HardwareTest, ASystemWithoutAChipIsAMistake) {
  small.write("hw_specs/systems/bad.yaml", "schema: mlosim/system/1\nname: bad\n");
  EXPECT_THAT(mistake_of("bad"), HasSubstr("key 'chip' is missing"));
}

TEST_F(HardwareTest, WithoutARuntimeTheVendorsDefaultIsTaken) {
  EXPECT_EQ(small.hardware("toy").runtime.name, "acme");
  EXPECT_EQ(small.hardware("grid").runtime.name, "weave");
  EXPECT_THAT(warnings_of("toy", ""), IsEmpty());
}

TEST_F(HardwareTest, AnUnknownRuntimeFallsBackWithAWarning) {
  EXPECT_THAT(warnings_of("toy", "acmee"),
              ElementsAre("no runtime is called 'acmee'; taking 'acme'; did you mean 'acme'?"));
  EXPECT_EQ(small.hardware("toy", {}, "acmee").runtime.name, "acme");
}

TEST_F(HardwareTest, ARuntimeOfAnotherVendorFallsBackWithAWarning) {
  EXPECT_THAT(warnings_of("toy", "weave"), ElementsAre("runtime 'weave' does not run on chips of Acme; taking 'acme'"));
}

TEST_F(HardwareTest, AVendorWithoutARuntimeIsAMistake) {
  std::string chip = kToyChip;
  SmallLibrary::replace(chip, "vendor: Acme", "vendor: Nobody");
  small.write("hw_specs/chips/strange.yaml", chip);
  EXPECT_THAT(mistake_of("strange"),
              HasSubstr("no runtime is the default for chips of Nobody; name one with 'runtime:'"));
}

TEST_F(HardwareTest, ARuntimesKernelsAreLaidOverTheFamilyThatTheyAreFor) {
  EXPECT_DOUBLE_EQ(small.hardware("toy").system.chip.decode.standard.fixed.si(), 7e-6);  // acme says so of 'plain'
  EXPECT_DOUBLE_EQ(small.hardware("old").system.chip.decode.standard.fixed.si(), 5e-6);  // and nothing of 'plain_fp16'
  EXPECT_EQ(small.hardware("toy").system.chip.decode.standard.tail, 0.3);                // the rest stays the family's
}

TEST_F(HardwareTest, AnOverrideIsTheLastWord) {
  const std::vector<std::pair<std::string, std::string>> overrides{
      {"system.chip.hbm.bandwidth", "2 TB/s"},         {"chip.units", "50"},
      {"chip.attention.decode.fixed", "1 us"},         {"runtime.step_overhead", "0 s"},
      {"system.fabric.bandwidth", "1 TB/s"},           {"collectives.direct.start", "1 us"},
      {"system.collectives.direct.ll_efficiency", "1"}};
  const Hardware hardware = small.hardware("toy_8", overrides);
  EXPECT_EQ(hardware.system.chip.device_memory().bandwidth, BytesPerSecond(2e12));
  EXPECT_EQ(hardware.system.chip.units, 50);
  EXPECT_EQ(hardware.system.chip.decode.standard.fixed, Seconds(1e-6));
  EXPECT_EQ(hardware.runtime.step_overhead, Seconds(0));
  EXPECT_EQ(hardware.system.fabric.bandwidth, BytesPerSecond(1e12));
  EXPECT_EQ(hardware.system.nccl->direct->start, Seconds(1e-6));
  EXPECT_EQ(hardware.system.nccl->direct->ll_efficiency, 1);
}

TEST_F(HardwareTest, TheLastOfTwoOverridesOfOnePlaceHolds) {
  EXPECT_EQ(small.hardware("toy", {{"chip.hbm.bandwidth", "2 TB/s"}, {"system.chip.hbm.bandwidth", "3 TB/s"}})
                .system.chip.device_memory()
                .bandwidth,
            BytesPerSecond(3e12));
}

TEST_F(HardwareTest, AnOverrideOfAnUnknownPathIsAnsweredWithTheNearest) {
  EXPECT_EQ(mistake_of("toy", {{"chip.hbm.bandwith", "2 TB/s"}}),
            "--set chip.hbm.bandwith: chip.hbm: unknown key 'bandwith'; did you mean 'bandwidth'?");
  EXPECT_THAT(mistake_of("toy", {{"runtime.step_overhed", "2 us"}}), HasSubstr("did you mean 'step_overhead'?"));
  EXPECT_THAT(mistake_of("toy", {{"chop.hbm.bandwidth", "2 TB/s"}}),
              HasSubstr("this path starts with no part of a system; system., chip., collectives. or runtime."));
}

TEST_F(HardwareTest, AnOverrideOfTheWrongKindIsAMistakeThatNamesIt) {
  EXPECT_EQ(mistake_of("toy", {{"chip.hbm.bandwidth", "2 TB"}}),
            "--set chip.hbm.bandwidth: chip.hbm.bandwidth: '2 TB' is a size (such as 141 GB); expected a data rate "
            "(such as 4.8 TB/s)");
  EXPECT_THAT(mistake_of("toy", {{"chip.clock.fast", "2 GHz"}}), HasSubstr("chip.clock"));
}

// The chip's file has been read by then: a new name would change nothing.
TEST_F(HardwareTest, AnOverrideCannotExchangeTheChip) {
  EXPECT_THAT(mistake_of("toy_8", {{"system.chip", "old"}}),
              HasSubstr("a part that has a file of its own cannot be exchanged"));
}

TEST_F(HardwareTest, HardwarePathsAreThoseBelowAPartOfASystem) {
  for (const char* path : {"system.fabric.chips", "system.chip.units", "chip.units", "runtime.step_overhead",
                           "collectives.direct.start"}) {
    EXPECT_TRUE(is_hardware_path(path)) << path;
  }
  for (const char* path : {"system", "chips", "model.layers", "inference.batch", "chip", "runtime", ""})
    EXPECT_FALSE(is_hardware_path(path)) << path;
}

TEST_F(HardwareTest, EveryNumberOfAMachineHasItsProvenance) {
  const ProvenanceTable table = small.hardware("toy_8").provenance;
  EXPECT_EQ(table.at("chip.hbm.bandwidth").kind, SourceKind::datasheet);
  EXPECT_EQ(table.at("chip.hbm.bandwidth").source, "toy sheet");
  EXPECT_EQ(table.at("chip.gemm.unit_load").kind, SourceKind::derived);
  EXPECT_EQ(table.at("chip.attention.decode.memory_efficiency").kind, SourceKind::assumed);
  EXPECT_EQ(table.count("system.fabric.bandwidth"), 1U);
  EXPECT_EQ(table.count("collectives.direct.start"), 1U);
  EXPECT_EQ(table.count("runtime.step_overhead"), 1U);
}

TEST_F(HardwareTest, WhatHasChangedIsDecodedAgainAndTheRestStays) {
  std::vector<std::string> warnings;
  HardwareDocuments documents = read_hardware(small.library(), "toy_8", {}, warnings);
  Hardware hardware = small.hardware("toy_8");
  const Bytes reserve = hardware.runtime.context_memory;
  apply_override(documents, {"chip.units", make_scalar("50", "--set chip.units")});
  apply_override(documents, {"system.fabric.bandwidth", make_scalar("1 GB/s", "--set system.fabric.bandwidth")});
  apply_override(documents, {"runtime.memory.context", make_scalar("7 GB", "--set runtime.memory.context")});
  Decoding decoding;
  decode_again(documents, std::vector<std::string>{"chip.units", "system.fabric.bandwidth"}, hardware, decoding);
  EXPECT_TRUE(decoding.diagnostics.empty());
  EXPECT_EQ(hardware.system.chip.units, 50);
  EXPECT_EQ(hardware.system.chip.name, "toy");
  EXPECT_EQ(hardware.system.fabric.bandwidth, BytesPerSecond(1e9));
  EXPECT_TRUE(hardware.system.nccl.has_value());
  EXPECT_EQ(hardware.runtime.context_memory, reserve);
}

TEST_F(HardwareTest, MistakesInAllFilesOfASystemAreReportedTogether) {
  std::string chip = kToyChip, runtime = kAcmeRuntime, node = kToyNode;
  SmallLibrary::replace(chip, "host_link: 50 GB/s", "host_link: 50 GB");
  SmallLibrary::replace(runtime, "step_overhead: 100 us", "step_overhead: 100");
  SmallLibrary::replace(node, "chips: 8", "chips: 1");
  small.write("hw_specs/chips/toy.yaml", chip);
  small.write("models/runtimes/acme.yaml", runtime);
  small.write("hw_specs/systems/toy_8.yaml", node);
  const std::string said = mistake_of("toy_8");
  EXPECT_THAT(said, HasSubstr("chip.host_link"));
  EXPECT_THAT(said, HasSubstr("runtime.step_overhead"));
  EXPECT_THAT(said, HasSubstr("system.fabric.chips"));
}

}  // namespace
}  // namespace mlosim::spec
