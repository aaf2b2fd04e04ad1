#include "sim/spec/node.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/units/quantity.hpp"

namespace mlosim::spec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One decoding of one text.
class Reading {
 public:
  explicit Reading(const std::string& text) : value_(parse_document(text, "x.yaml")) {}

  Node root() { return Node(&value_, "", &decoding_); }
  std::vector<std::string> mistakes() const {
    std::vector<std::string> list;
    for (const Diagnostic& diagnostic : decoding_.diagnostics.list()) list.push_back(render_diagnostic(diagnostic));
    return list;
  }
  const Decoding& decoding() const { return decoding_; }

 private:
  Value value_;
  Decoding decoding_;
};

// What is said of `key: <text>` read as a count, as a time, as a fraction …
template <class Read>
std::vector<std::string> mistakes_of(const std::string& text, Read read) {
  Reading reading("k: " + text);
  read(reading.root());
  return reading.mistakes();
}
std::vector<std::string> as_count(const std::string& text) {
  return mistakes_of(text, [](Node node) { node.require_count("k"); });
}

TEST(Node, AMappingIsReadIntoAStruct) {
  Reading reading("{bandwidth: 4.8 TB/s, count: 12, on: true, name: hbm, kind: b}");
  Node node = reading.root();
  EXPECT_EQ(node.require<BytesPerSecond>("bandwidth"), BytesPerSecond(4.8e12));
  EXPECT_EQ(node.require_count("count"), 12);
  EXPECT_TRUE(node.flag_or("on", false));
  EXPECT_EQ(node.require_text("name"), "hbm");
  EXPECT_EQ(node.require_word<int>("kind", {{"a", 1}, {"b", 2}}), 2);
  EXPECT_EQ(node.value_or<Seconds>("latency", Seconds(7)), Seconds(7));
  EXPECT_EQ(node.count_or("rows", 3), 3);
  EXPECT_EQ(node.text_or("note", "none"), "none");
  EXPECT_EQ(node.word_or<int>("other", {{"a", 1}}, 5), 5);
  node.finish();
  EXPECT_THAT(reading.mistakes(), IsEmpty());
}

TEST(Node, AllMistakesOfAFileAreReportedInOneRun) {
  Reading reading("bandwidth: 4.8 TB\ncount: 1.5\non: maybe\nkind: c\nextra: 1\n");
  Node node = reading.root();
  node.require<BytesPerSecond>("bandwidth");
  node.require_count("count");
  node.flag_or("on", false);
  node.require_word<int>("kind", {{"aa", 1}, {"bb", 2}});
  node.require_text("name");
  node.require<Seconds>("latency");
  node.finish();
  EXPECT_THAT(
      reading.mistakes(),
      ElementsAre(
          "x.yaml:1:12: bandwidth: '4.8 TB' is a size (such as 141 GB); expected a data rate (such as 4.8 TB/s)",
          "x.yaml:2:8: count: '1.5' is not a whole number", "x.yaml:3:5: on: expected true or false",
          "x.yaml:4:7: kind: unknown value 'c'; one of: aa, bb", "x.yaml:1:1: key 'name' is missing; expected text",
          "x.yaml:1:1: key 'latency' is missing; expected a time (such as 3 us)",
          "x.yaml:5:1: unknown key 'extra'; one of: bandwidth, count, on, kind, name, latency"));
}

TEST(Node, AnUnknownKeyIsAnsweredWithTheNearestOneThatWasAskedFor) {
  Reading reading("{bandwith: 4.8 TB/s}");
  Node node = reading.root();
  node.value_or<BytesPerSecond>("bandwidth", BytesPerSecond(1));
  node.finish();
  EXPECT_THAT(reading.mistakes(), ElementsAre("x.yaml:1:2: unknown key 'bandwith'; did you mean 'bandwidth'?"));
}

TEST(Node, PathsNameWhereAMistakeIs) {
  Reading reading("chip:\n  hbm:\n    clock: fast\n  list: [1, x]\n");
  Node chip = reading.root().require_mapping("chip");
  chip.require_mapping("hbm").require<Hertz>("clock");
  for (const Node& item : chip.child("list").items()) item.as_count();
  EXPECT_THAT(reading.mistakes(), ElementsAre(HasSubstr("x.yaml:3:12: chip.hbm.clock: 'fast' is not a number"),
                                              HasSubstr("x.yaml:4:13: chip.list.1: ")));
}

TEST(Node, ReadingGoesOnWithHarmlessValues) {
  Reading reading("{a: x, b: x, c: x, d: x, e: x}");
  Node node = reading.root();
  EXPECT_GT(node.require<Seconds>("a"), Seconds(0));
  EXPECT_GE(node.require_count("b", 8), 8);
  EXPECT_GT(node.require_number("c", Range::fraction), 0);
  EXPECT_EQ(node.require_word<int>("d", {{"p", 4}, {"q", 5}}), 4);
  EXPECT_TRUE(node.flag_or("e", true));
  EXPECT_GT(node.require<Bytes>("missing"), Bytes(0));
  EXPECT_EQ(node.child("missing").child("deeper").items().size(), 0U);
  EXPECT_EQ(reading.mistakes().size(), 6U);
}

TEST(Node, AMissingMappingIsOneMistakeAndNotOneForEachMember) {
  Reading reading("{other: 1}");
  Node node = reading.root();
  Node launch = node.require_mapping("launch");
  launch.require<Seconds>("stream");
  launch.require_word<int>("path", {{"a", 1}});
  launch.require_mapping("deeper").require_count("n");
  launch.fail_at("stream", "a consequence");
  launch.finish();
  EXPECT_THAT(reading.mistakes(), ElementsAre("x.yaml:1:1: key 'launch' is missing"));
}

TEST(Node, AScalarWhereMembersAreDueIsOneMistake) {
  Reading reading("launch: 3 us\n");
  Node node = reading.root();
  Node launch = node.require_mapping("launch");
  launch.require<Seconds>("stream");
  launch.require_count("n");
  launch.require_text("name");
  launch.finish();
  EXPECT_THAT(reading.mistakes(), ElementsAre("x.yaml:1:9: launch: expected members ('key: value')"));

  Reading list("[1, 2]");
  Node root = list.root();
  root.require_count("n");
  root.require_text("name");
  EXPECT_THAT(list.mistakes(), ElementsAre("x.yaml:1:1: expected members ('key: value')"));
}

TEST(Node, CountsAreWholeNumbersWithinWhatDoublesHoldExactly) {
  EXPECT_THAT(as_count("8"), IsEmpty());
  EXPECT_THAT(as_count("1e6"), IsEmpty());
  EXPECT_THAT(as_count("1.5"), ElementsAre(HasSubstr("'1.5' is not a whole number")));
  EXPECT_THAT(as_count("-1"), ElementsAre(HasSubstr("'-1' is less than 1")));
  EXPECT_THAT(as_count("0"), ElementsAre(HasSubstr("'0' is less than 1")));
  EXPECT_THAT(as_count("1e30"), ElementsAre(HasSubstr("'1e30' is out of range")));
  EXPECT_THAT(as_count("8 GB"), ElementsAre(HasSubstr("expected a plain number")));
  EXPECT_THAT(as_count("many"), ElementsAre(HasSubstr("'many' is not a number")));
  EXPECT_THAT(as_count("[8]"), ElementsAre(HasSubstr("expected a number")));
}

TEST(Node, ALeadingZeroIsNotOctal) {
  Reading reading("{k: 010}");
  EXPECT_EQ(reading.root().require_count("k"), 10);
}

TEST(Node, ANumberInQuotesIsText) {
  EXPECT_THAT(as_count("\"8\""), ElementsAre("x.yaml:1:4: k: \"8\" is text; write the number without quotes"));
  EXPECT_THAT(as_count("{value: '8', kind: assumed}"), ElementsAre(HasSubstr("\"8\" is text")));
}

// JSON has no other way to write a quantity.
TEST(Node, AQuantityWithItsUnitMayStandInQuotes) {
  Reading reading("{\"bandwidth\": \"4.8 TB/s\"}");
  EXPECT_EQ(reading.root().require<BytesPerSecond>("bandwidth"), BytesPerSecond(4.8e12));
  EXPECT_THAT(reading.mistakes(), IsEmpty());
}

TEST(Node, NumbersStayWithinTheirRange) {
  const auto said = [](const std::string& text, Range range) {
    return mistakes_of(text, [&](Node node) { node.require_number("k", range); });
  };
  EXPECT_THAT(said("0", Range::positive), ElementsAre(HasSubstr("'0' must be greater than zero")));
  EXPECT_THAT(said("0", Range::non_negative), IsEmpty());
  EXPECT_THAT(said("-0.1", Range::non_negative), ElementsAre(HasSubstr("'-0.1' must not be negative")));
  EXPECT_THAT(said("-5", Range::any), IsEmpty());
  EXPECT_THAT(said("1", Range::fraction), IsEmpty());
  EXPECT_THAT(said("1.01", Range::fraction), ElementsAre(HasSubstr("must be greater than 0 and at most 1")));
  EXPECT_THAT(said("0", Range::fraction), ElementsAre(HasSubstr("must be greater than 0 and at most 1")));
  EXPECT_THAT(said("nan", Range::any), ElementsAre(HasSubstr("is not a number")));
}

TEST(Node, OnlyTrueAndFalseAreFlags) {
  const auto said = [](const std::string& text) {
    return mistakes_of(text, [](Node node) { node.flag_or("k", false); });
  };
  for (const char* text : {"on", "yes", "True", "off", "no", "2", "[true]"}) {
    EXPECT_THAT(said(text), ElementsAre(HasSubstr("k: expected true or false"))) << text;
  }
  for (const char* text : {"true", "false", "0", "1"}) EXPECT_THAT(said(text), IsEmpty()) << text;
  Reading reading("{a: true, b: false, c: 1, d: 0}");
  Node node = reading.root();
  EXPECT_TRUE(node.flag_or("a", false));
  EXPECT_FALSE(node.flag_or("b", true));
  EXPECT_TRUE(node.flag_or("c", false));
  EXPECT_FALSE(node.flag_or("d", true));
}

TEST(Node, AWordIsOneOfAClosedList) {
  const auto said = [](const std::string& text) {
    return mistakes_of(text, [](Node node) { node.require_word<int>("k", {{"switch", 1}, {"torus", 2}}); });
  };
  EXPECT_THAT(said("torus"), IsEmpty());
  EXPECT_THAT(said("swich"), ElementsAre("x.yaml:1:4: k: unknown value 'swich'; did you mean 'switch'?"));
  EXPECT_THAT(said("mesh"), ElementsAre("x.yaml:1:4: k: unknown value 'mesh'; one of: switch, torus"));
  EXPECT_THAT(said("[torus]"), ElementsAre(HasSubstr("expected a word")));
  EXPECT_THAT(said("~"), ElementsAre(HasSubstr("key 'k' is missing")));
}

TEST(Node, AnAnnotatedNumberIsItsValue) {
  Reading reading(
      "{k: {value: 3.35 TB/s, kind: datasheet, source: a sheet, note: n, standard_error: 0.1, suite: s, date: 2024}}");
  EXPECT_EQ(reading.root().require<BytesPerSecond>("k"), BytesPerSecond(3.35e12));
  EXPECT_THAT(reading.mistakes(), IsEmpty());
}

TEST(Node, WhereEachNumberComesFromIsKeptByItsPath) {
  Reading reading("{a: {b: {value: 5 us, kind: fitted, source: rows of X}, c: 3 us, n: 4}}");
  Node a = reading.root().require_mapping("a");
  a.require<Seconds>("b");
  a.require<Seconds>("c");
  a.require_count("n");
  const ProvenanceTable& table = reading.decoding().provenance;
  ASSERT_EQ(table.size(), 3U);
  EXPECT_EQ(table.at("a.b").kind, SourceKind::fitted);
  EXPECT_EQ(table.at("a.b").source, "rows of X");
  EXPECT_EQ(table.at("a.b").text, "5 us");
  EXPECT_EQ(table.at("a.c").kind, SourceKind::given);
  EXPECT_EQ(table.at("a.c").text, "3 us");
  EXPECT_EQ(table.at("a.n").text, "4");
}

TEST(Node, EveryKindOfSourceHasItsWord) {
  for (const SourceKind kind : {SourceKind::datasheet, SourceKind::measured, SourceKind::fitted, SourceKind::derived,
                                SourceKind::assumed, SourceKind::given}) {
    Reading reading("{k: {value: 1, kind: " + std::string(name_of(kind)) + "}}");
    reading.root().require_number("k");
    EXPECT_THAT(reading.mistakes(), IsEmpty());
    EXPECT_EQ(reading.decoding().provenance.at("k").kind, kind);
  }
}

TEST(Node, AnAnnotationIsCheckedToo) {
  EXPECT_THAT(as_count("{value: 8, kind: datashet}"),
              ElementsAre("x.yaml:1:21: k: unknown kind 'datashet'; did you mean 'datasheet'?"));
  EXPECT_THAT(
      as_count("{value: 8}"),
      ElementsAre(
          "x.yaml:1:4: k: an annotated number needs its 'kind'; datasheet, measured, fitted, derived or assumed"));
  EXPECT_THAT(as_count("{value: 8, kind: assumed, sorce: s}"),
              ElementsAre("x.yaml:1:30: k: unknown key 'sorce'; did you mean 'source'?"));
  EXPECT_THAT(as_count("{val: 8, kind: assumed}"), ElementsAre(HasSubstr("expected a number; or an annotated one")));
  EXPECT_THAT(as_count("{value: {value: 8, kind: assumed}, kind: assumed}"),
              ElementsAre(HasSubstr("expected a number")));
}

TEST(Node, AMistakeInAnAnnotationIsReportedOnce) {
  EXPECT_THAT(as_count("{value: 1.5, kind: gues}"),
              ElementsAre(HasSubstr("unknown kind 'gues'"), HasSubstr("'1.5' is not a whole number")));
}

TEST(Node, AMistakeInAnAnnotatedNumberIsAtTheNumber) {
  Reading reading("k:\n  value: 5 kg\n  kind: assumed\n");
  reading.root().require<Seconds>("k");
  EXPECT_THAT(reading.mistakes(), ElementsAre(HasSubstr("x.yaml:2:10: k: 'kg' is not a unit")));
}

TEST(Node, AnEmptyValueIsAMissingOne) {
  Reading reading("a:\nb: ~\n");
  Node node = reading.root();
  node.require_count("a");
  EXPECT_EQ(node.count_or("b", 7), 7);
  node.finish();
  EXPECT_THAT(reading.mistakes(), ElementsAre(HasSubstr("key 'a' is missing")));
}

TEST(Node, MembersOfAMappingAllCountAsAskedFor) {
  Reading reading("{gemm: 0.1, default: 0.2}");
  Node node = reading.root();
  std::vector<std::string> keys;
  for (const auto& [key, member] : node.members()) keys.push_back(key + "=" + std::to_string(member.as_number()));
  node.finish();
  EXPECT_THAT(keys, ElementsAre("gemm=0.100000", "default=0.200000"));
  EXPECT_THAT(reading.mistakes(), IsEmpty());
}

TEST(Node, AListMustBeAList) {
  Reading reading("{list: 5}");
  EXPECT_THAT(reading.root().child("list").items(), IsEmpty());
  EXPECT_THAT(reading.mistakes(), ElementsAre("x.yaml:1:8: list: expected a list ('[a, b]')"));
}

TEST(Node, TheSchemaMustBeTheExpectedOne) {
  const auto said = [](const std::string& text) {
    Reading reading(text);
    Node node = reading.root();
    node.expect_schema("mlosim/chip/1");
    return reading.mistakes();
  };
  EXPECT_THAT(said("{schema: mlosim/chip/1}"), IsEmpty());
  EXPECT_THAT(said("{a: 1}"), ElementsAre("x.yaml:1:1: key 'schema' is missing; write 'schema: mlosim/chip/1'"));
  EXPECT_THAT(said("{schema: mlosim/chip/2}"),
              ElementsAre("x.yaml:1:10: schema: schema 'mlosim/chip/2' is not read here; expected 'mlosim/chip/1'"));
}

TEST(Node, WarningsAreKeptApartFromMistakes) {
  Reading reading("{a: 1}");
  reading.root().child("a").warn("this is odd");
  EXPECT_THAT(reading.decoding().warnings, ElementsAre("x.yaml:1:5: a: this is odd"));
  EXPECT_THAT(reading.mistakes(), IsEmpty());
}

}  // namespace
}  // namespace mlosim::spec
