#include "sim/spec/nccl_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/net/nodes.hpp"

namespace mlosim::spec {
namespace {

using testing::HasSubstr;

std::string mistakes(const std::string& yaml) {
  const Value document = parse_document(yaml, "library.yaml");
  Decoding decoding;
  decode_nccl(Node(&document, "", &decoding));
  std::string text;
  for (const Diagnostic& d : decoding.diagnostics.list()) text += render_diagnostic(d) + "\n";
  return text;
}

TEST(NcclSpec, TheRepositorysLibrariesAreReadWithoutAMistake) {
  EXPECT_TRUE(net::read_library("nccl").ring.has_value());
  EXPECT_TRUE(net::read_library("rccl").direct.has_value());
}

TEST(NcclSpec, EveryVersionIsReadWithoutAMistake) {
  for (const char* version : {"2.23", "2.27", "2.29"}) EXPECT_EQ(net::read_library("nccl", version).version, version);
}

TEST(NcclSpec, AVersionChangesWhatItLists) {
  const RingLibrary newest = *net::read_library("nccl").ring;
  const RingLibrary older = *net::read_library("nccl", "2.27").ring;
  EXPECT_GT(older.time.extra_start, newest.time.extra_start);
  EXPECT_TRUE(older.send_receive.ll_counts_all_channels);
  EXPECT_FALSE(newest.send_receive.ll_counts_all_channels);
  EXPECT_EQ(older.time.ll_hop, newest.time.ll_hop);
}

TEST(NcclSpec, AVersionThatThereIsNotIsAnsweredWithTheNearest) {
  EXPECT_THAT(mistakes("{schema: mlosim/collectives/1, name: x, version: 2.72, versions: {2.27: {}, 2.29: {}}}"),
              HasSubstr("there is no version '2.72'; did you mean '2.27'?"));
}

TEST(NcclSpec, AFamilyWithTheTablesOfNoGenerationIsAMistake) {
  EXPECT_THAT(mistakes("{schema: mlosim/collectives/1, name: x, ring: {generations: {}, also: {ada: ampre}}}"),
              HasSubstr("'ampre' is none of the generations"));
}

TEST(NcclSpec, EveryFittedNumberSaysWhereItComesFrom) {
  const Value document = read_document((support::source_dir() / "hw_specs/families/nccl.yaml").string());
  Decoding decoding;
  decode_nccl(Node(&document, "nccl", &decoding));
  for (const auto& [path, provenance] : decoding.provenance) {
    if (path.find(".time.") == std::string::npos && path.find(".send_receive.") == std::string::npos) continue;
    EXPECT_NE(provenance.kind, SourceKind::given) << path;
    EXPECT_FALSE(provenance.source.empty()) << path;
  }
}

TEST(NcclSpec, ALibraryOfNothingIsAMistake) {
  EXPECT_THAT(mistakes("{schema: mlosim/collectives/1, name: none}"), HasSubstr("neither 'ring' nor 'direct'"));
}

TEST(NcclSpec, AFallbackThatIsNoGenerationIsAMistake) {
  EXPECT_THAT(mistakes("{schema: mlosim/collectives/1, name: x, ring: {generations: {}, fallback: hoper}}"),
              HasSubstr("'hoper' is none of the generations"));
}

TEST(NcclSpec, AnUnknownKeyIsAMistake) {
  EXPECT_THAT(mistakes("{schema: mlosim/collectives/1, name: x, direct: {start: 1 us, hop: {ll: 1 us, simple: 2 us}, "
                       "ll_efficiency: 0.5, simple_efficiency: 1}}"),
              HasSubstr("unknown key 'simple_efficiency'"));
}

}  // namespace
}  // namespace mlosim::spec
