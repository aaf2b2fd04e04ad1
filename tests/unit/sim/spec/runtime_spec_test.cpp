#include "sim/spec/runtime_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  RuntimeSpec runtime;
  std::string mistakes;
};

Read read(const std::string& text) {
  const Value document = parse_document(text, "r.yaml");
  Decoding decoding;
  Read result{decode_runtime(Node(&document, "runtime", &decoding)), ""};
  for (const Diagnostic& diagnostic : decoding.diagnostics.list())
    result.mistakes += render_diagnostic(diagnostic) + "\n";
  return result;
}

std::string acme_with(const std::string& what, const std::string& by) {
  std::string text = kAcmeRuntime;
  SmallLibrary::replace(text, what, by);
  return text;
}

TEST(RuntimeSpec, ARuntimeSaysHowItLaunchesAndWhatItFuses) {
  const Read acme = read(kAcmeRuntime);
  EXPECT_THAT(acme.mistakes, IsEmpty());
  EXPECT_THAT(acme.runtime.vendors, ElementsAre("Acme"));
  EXPECT_EQ(acme.runtime.decode_launch, LaunchPath::graph);
  EXPECT_EQ(acme.runtime.prefill_launch, LaunchPath::eager);
  EXPECT_TRUE(acme.runtime.fuses_rope);
  EXPECT_FALSE(acme.runtime.fuses_elementwise);
  EXPECT_FALSE(acme.runtime.fuses_quantisation);
  EXPECT_EQ(acme.runtime.reserved_memory, 0.1);
  EXPECT_EQ(acme.runtime.context_memory, Bytes(1e9));
  EXPECT_FALSE(acme.runtime.custom_all_reduce.has_value());
}

TEST(RuntimeSpec, NotAllOfTheMemoryCanBeReserved) {
  EXPECT_THAT(read(acme_with("reserved_share: 0.1", "reserved_share: 1")).mistakes, HasSubstr("must be less than 1"));
}

TEST(RuntimeSpec, AnUnknownLaunchPathIsAMistake) {
  EXPECT_THAT(read(acme_with("decode: graph", "decode: grahp")).mistakes, HasSubstr("did you mean 'graph'?"));
}

TEST(RuntimeSpec, ACustomAllReduceMayDifferByFamilyAndRanks) {
  const Read acme = read(acme_with(
      "families:",
      "custom_all_reduce: {start: 10, hop: 0.3, second_shot: 17, one_shot_efficiency: 0.6, two_shot_efficiency: 0.7,\n"
      "                    largest: 8 MiB, pcie_ranks: 2, cases: [{family: ampere, start: 12}, {ranks: 4, largest: 4 "
      "MiB}]}\n"
      "families:"));
  EXPECT_THAT(acme.mistakes, IsEmpty());
  ASSERT_TRUE(acme.runtime.custom_all_reduce.has_value());
  EXPECT_EQ(acme.runtime.custom_all_reduce->pcie_ranks, 2);
  EXPECT_EQ(acme.runtime.custom_all_reduce->at("ampere", 4).start, 12);
  EXPECT_EQ(acme.runtime.custom_all_reduce->at("hopper", 4).largest, Bytes(4 << 20));
  EXPECT_EQ(acme.runtime.custom_all_reduce->at("hopper", 8).largest, Bytes(8 << 20));
}

TEST(RuntimeSpec, EveryBuiltInRuntimeIsReadWithoutAMistake) {
  const Library library({support::source_dir().string()});
  for (const std::string& name : library.names(Shelf::runtimes)) {
    const Value document = read_document(library.require(Shelf::runtimes, name));
    Decoding decoding;
    EXPECT_EQ(decode_runtime(Node(&document, "runtime", &decoding)).name, name);
    EXPECT_NO_THROW(decoding.diagnostics.throw_if_any()) << name;
  }
}

TEST(RuntimeSpec, EveryVendorHasOneDefaultRuntime) {
  const Library library({support::source_dir().string()});
  std::map<std::string, std::string> chosen;
  for (const std::string& name : library.names(Shelf::runtimes)) {
    const Value document = read_document(library.require(Shelf::runtimes, name));
    const Value* vendors = document.find("default_for");
    if (!vendors) continue;
    for (const Value& vendor : vendors->items) EXPECT_TRUE(chosen.emplace(vendor.text, name).second) << vendor.text;
  }
  EXPECT_FALSE(chosen.empty());
}

}  // namespace
}  // namespace mlosim::spec
