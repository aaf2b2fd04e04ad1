#include "sim/spec/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/support/source_tree.hpp"

namespace mlosim::spec {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Value parse(const std::string& text) { return parse_document(text, "x.yaml"); }

// What the reader says of a text, or how it read it.
std::string mistake(const std::string& text) {
  try {
    return "read as:\n" + render_yaml(parse_document(text, "x.yaml")).substr(0, 1000);
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string repeat(const std::string& text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// The same tree, places aside.
void expect_same(const Value& a, const Value& b) {
  ASSERT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.text, b.text);
  ASSERT_EQ(a.items.size(), b.items.size());
  for (std::size_t i = 0; i < a.items.size(); ++i) expect_same(a.items[i], b.items[i]);
  ASSERT_EQ(a.members.size(), b.members.size());
  for (std::size_t i = 0; i < a.members.size(); ++i) {
    EXPECT_EQ(a.members[i].key, b.members[i].key);
    expect_same(a.members[i].value, b.members[i].value);
  }
}

TEST(Document, AFileIsATreeInItsOwnOrder) {
  const Value root = parse("b: 1\na: [x, {c: ~}]\n");
  ASSERT_TRUE(root.is_mapping());
  EXPECT_EQ(root.members[0].key, "b");
  EXPECT_EQ(root.members[1].key, "a");
  EXPECT_EQ(root.find("b")->text, "1");
  EXPECT_EQ(root.find("a")->items[0].text, "x");
  EXPECT_EQ(root.find("a")->items[1].find("c")->kind, Value::Kind::null);
  EXPECT_EQ(root.find("z"), nullptr);
}

TEST(Document, JsonIsReadToo) {
  const Value root =
      parse(R"({"layers": 32, "rope": {"factor": 8.0}, "names": ["a", "b"], "none": null, "yes": true})");
  EXPECT_EQ(root.find("layers")->text, "32");
  EXPECT_FALSE(root.find("layers")->quoted);
  EXPECT_EQ(root.find("names")->items[1].text, "b");
  EXPECT_TRUE(root.find("names")->items[1].quoted);
  EXPECT_EQ(root.find("none")->kind, Value::Kind::null);
}

TEST(Document, PlacesCountFromOneAndPointAtTheFirstLetter) {
  const Value root = parse("a: 1\nouter:\n  inner:   3 us\n  list:\n    - x\n    - {k: v}\n");
  EXPECT_EQ(root.line, 1);
  EXPECT_EQ(root.column, 1);
  const Value& inner = *root.find("outer")->find("inner");
  EXPECT_EQ(inner.place().file, "x.yaml");
  EXPECT_EQ(inner.line, 3);
  EXPECT_EQ(inner.column, 12);
  EXPECT_EQ(root.find("outer")->members[0].key_place.line, 3);
  EXPECT_EQ(root.find("outer")->members[0].key_place.column, 3);
  const Value& mapping = root.find("outer")->find("list")->items[1];
  EXPECT_EQ(mapping.line, 6);
  EXPECT_EQ(mapping.column, 7);
  EXPECT_EQ(mapping.find("k")->column, 11);
}

TEST(Document, ScalarsStayTheTextThatWasWritten) {
  const Value root =
      parse("octal: 010\nswitch: on\nanswer: yes\nhex: 0x10\ntime: 12:30\nexponent: 1e3\nquoted: \"8\"\n");
  EXPECT_EQ(root.find("octal")->text, "010");
  EXPECT_EQ(root.find("switch")->text, "on");
  EXPECT_EQ(root.find("answer")->text, "yes");
  EXPECT_EQ(root.find("hex")->text, "0x10");
  EXPECT_EQ(root.find("time")->text, "12:30");
  EXPECT_EQ(root.find("exponent")->text, "1e3");
  EXPECT_EQ(root.find("quoted")->text, "8");
  EXPECT_TRUE(root.find("quoted")->quoted);
  EXPECT_FALSE(root.find("octal")->quoted);
}

TEST(Document, AKeyThatAppearsTwiceIsAMistake) {
  EXPECT_EQ(mistake("a: 1\nb: 2\na: 3\n"), "x.yaml:3:1: key 'a' appears twice; it was given in line 1");
  EXPECT_THAT(mistake("{a: {b: 1, b: 2}}"), HasSubstr("x.yaml:1:12: key 'b' appears twice"));
  EXPECT_THAT(mistake("{\"a\": 1, a: 2}"), HasSubstr("appears twice"));
}

TEST(Document, TheSameKeyInTwoMappingsIsNone) { EXPECT_THAT(mistake("a: {x: 1}\nb: {x: 1}\n"), StartsWith("read as")); }

TEST(Document, MergeKeysAreRefusedBecauseTheyWouldNotBeExpanded) {
  EXPECT_THAT(mistake("base: &b {x: 1}\nother:\n  <<: *b\n"),
              HasSubstr("x.yaml:3:3: merge keys ('<<') are not read; write the members out"));
  EXPECT_THAT(mistake("{\"<<\": 1}"), StartsWith("read as"));
}

TEST(Document, AliasesAreCopies) {
  const Value root = parse("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n");
  expect_same(*root.find("a"), *root.find("b"));
  expect_same(*root.find("a"), root.find("c")->items[1]);
}

TEST(Document, AnAliasInsideItsOwnValueIsAMistake) {
  EXPECT_EQ(mistake("a: &x\n  - *x\n"), "x.yaml:2:5: this alias refers to a value that contains it");
  EXPECT_THAT(mistake("a: &x {b: {c: *x}}"), HasSubstr("contains it"));
}

TEST(Document, AnAliasOfNothingIsAMistake) {
  EXPECT_THAT(mistake("a: *nothing\n"), StartsWith("x.yaml:1:4: this is not YAML"));
}

TEST(Document, AnAliasBombEndsWithAMessage) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeat(last + ", ", 9) + last + "]\n";
  }
  EXPECT_THAT(mistake(bomb), HasSubstr("more than 400000 values, aliases counted each time"));
}

TEST(Document, DeepNestingEndsWithAMessage) {
  EXPECT_THAT(mistake(repeat("[", 65) + repeat("]", 65)), HasSubstr("x.yaml:1:65: nested deeper than 64 levels"));
  EXPECT_THAT(mistake(repeat("[", 100'000)), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(mistake(repeat("{a: ", 100'000)), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(mistake(repeat("- ", 100'000)), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(mistake(repeat("[", 64) + repeat("]", 64)), StartsWith("read as"));
}

TEST(Document, TenMegabytesOfBracketsAreNotEvenParsed) {
  EXPECT_EQ(mistake(repeat("[", 10'000'000)), "x.yaml: the file has 9.5 MiB; at most 4 MiB are read");
}

TEST(Document, AliasesDoNotNestDeeperThanBracketsMay) {
  std::string text = "a0: &a0 x\n";
  for (int i = 1; i < 10; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " " + repeat("[", 20) + "*a" +
            std::to_string(i - 1) + repeat("]", 20) + "\n";
  }
  EXPECT_THAT(mistake(text), HasSubstr("nested deeper than 64 levels"));
}

TEST(Document, AHugeMappingEndsWithAMessage) {
  std::string text;
  for (int i = 0; i < 150'000; ++i) text += "k" + std::to_string(i) + ": \n";
  EXPECT_THAT(mistake(text), HasSubstr("more than 4096 keys"));
}

TEST(Document, AnEmptyFileIsAMistake) {
  EXPECT_EQ(mistake(""), "x.yaml: the file is empty");
  EXPECT_EQ(mistake("\n\n"), "x.yaml: the file is empty");
  EXPECT_EQ(mistake("# a comment\n"), "x.yaml: the file is empty");
}

TEST(Document, ASecondDocumentIsAMistake) {
  EXPECT_THAT(mistake("a: 1\n---\nb: 2\n"), HasSubstr("a second document starts here; one file holds one document"));
  EXPECT_THAT(mistake("a: 1\n---\nb: 2\n"), StartsWith("x.yaml:3:1:"));
  EXPECT_THAT(mistake("a: 1\n---\n"), HasSubstr("a second document"));
  EXPECT_THAT(mistake("---\na: 1\n...\n"), StartsWith("read as"));
}

TEST(Document, WhatIsNotYamlIsAMistakeAtItsPlace) {
  EXPECT_THAT(mistake("a: [1, 2\nb: 3\n"), StartsWith("x.yaml:2:"));
  EXPECT_THAT(mistake("a: 1\n\tb: 2\n"), HasSubstr("x.yaml:2:"));
  EXPECT_THAT(mistake("a: b: c\n"), HasSubstr("this is not YAML"));
}

TEST(Document, AKeyIsAWord) {
  EXPECT_THAT(mistake("? [a, b]\n: 1\n"), HasSubstr("a key must be a plain word"));
  EXPECT_THAT(mistake("{~: 1}"), HasSubstr("a key must be a plain word"));
}

TEST(Document, BytesThatAreNotUtf8AreAMistakeAtTheirPlace) {
  EXPECT_EQ(mistake("a: 1\nname: caf\xe9\n"), "x.yaml:2:10: this is not UTF-8 text");
  EXPECT_THAT(mistake("name: \"\xc3\x28\"\n"), HasSubstr("not UTF-8"));      // a lead byte without its tail
  EXPECT_THAT(mistake("name: \xed\xa0\x80\n"), HasSubstr("not UTF-8"));      // a surrogate
  EXPECT_THAT(mistake("name: \xc0\xaf\n"), HasSubstr("not UTF-8"));          // an overlong slash
  EXPECT_THAT(mistake("name: \xf5\x80\x80\x80\n"), HasSubstr("not UTF-8"));  // beyond Unicode
  EXPECT_THAT(mistake("name: x\xe2\x82"), HasSubstr("not UTF-8"));           // cut off
  EXPECT_THAT(mistake("name: café, 10 µs, 語, 😀\n"), StartsWith("read as"));
}

// yaml-cpp takes byte 4 for the end of the file and would leave the rest unread.
TEST(Document, ControlCharactersAreAMistake) {
  EXPECT_THAT(mistake("a: 1\n\x04\nb: 2\n"), HasSubstr("x.yaml:2:1: this is not UTF-8 text"));
  EXPECT_THAT(mistake(std::string("a: 1\0b: 2", 9)), HasSubstr("x.yaml:1:5:"));
  EXPECT_THAT(mistake("a:\t1\r\n"), StartsWith("read as"));
}

TEST(Document, AByteOrderMarkIsNoPartOfTheText) {
  const Value root = parse(
      "\xef\xbb\xbf"
      "a: 1\n");
  EXPECT_NE(root.find("a"), nullptr);
}

TEST(ReadDocument, AMissingFileAndAFolderAreMistakes) {
  const support::TemporaryDirectory directory;
  const auto mistake_of = [](const std::string& path) -> std::string {
    try {
      read_document(path);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  const std::string missing = (directory.path() / "none.yaml").string();
  EXPECT_EQ(mistake_of(missing), missing + ": the file cannot be read; does it exist?");
  EXPECT_EQ(mistake_of(directory.path().string()), directory.path().string() + ": this is a folder, not a file");
}

TEST(ReadDocument, MessagesNameTheFile) {
  const support::TemporaryDirectory directory;
  const std::string path = (directory.path() / "x.yaml").string();
  support::write_text(path, "a: 1\n");
  EXPECT_EQ(read_document(path).find("a")->place().file, path);
}

TEST(Merge, MembersAreLaidOverMappingByMapping) {
  const Value merged = merge(parse("{a: {x: 1, y: 2}, b: 3}"), parse("{a: {y: 20, z: 30}, c: 4}"));
  expect_same(merged, parse("{a: {x: 1, y: 20, z: 30}, b: 3, c: 4}"));
}

TEST(Merge, ScalarsAndListsAreReplacedAsAWhole) {
  expect_same(merge(parse("{a: [1, 2], b: {x: 1}, c: 5}"), parse("{a: [9], b: 7, c: {y: 1}}")),
              parse("{a: [9], b: 7, c: {y: 1}}"));
}

TEST(Merge, AnAnnotatedNumberIsReplacedWithItsAnnotation) {
  expect_same(merge(parse("{a: {value: 1, kind: assumed, source: s}}"), parse("{a: {value: 2, kind: measured}}")),
              parse("{a: {value: 2, kind: measured}}"));
  expect_same(merge(parse("{a: {value: 1, kind: assumed}}"), parse("{a: 2}")), parse("{a: 2}"));
}

TEST(Merge, AValueKeepsThePlaceThatItCameFrom) {
  const Value merged = merge(parse_document("a: 1\nb: 2\n", "family.yaml"), parse_document("b: 3\n", "chip.yaml"));
  EXPECT_EQ(merged.find("a")->place().file, "family.yaml");
  EXPECT_EQ(merged.find("b")->place().file, "chip.yaml");
  EXPECT_EQ(merged.place().file, "chip.yaml");
}

Value set(const std::string& text, const std::string& path, const std::string& value) {
  Value root = parse(text);
  set_at(root, path, make_scalar(value, "--set " + path));
  return root;
}

std::string set_mistake(const std::string& text, const std::string& path) {
  try {
    return "set:\n" + render_yaml(set(text, path, "1"));
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(SetAt, AValueIsReplacedOrAdded) {
  expect_same(set("{a: {b: 1}}", "a.b", "2"), parse("{a: {b: 2}}"));
  expect_same(set("{a: {b: 1}}", "a.c", "2"), parse("{a: {b: 1, c: 2}}"));
  expect_same(set("{a: 1}", "x.y.z", "2"), parse("{a: 1, x: {y: {z: 2}}}"));
  expect_same(set("{a: ~}", "a.b", "2"), parse("{a: {b: 2}}"));
}

TEST(SetAt, AnItemOfAListIsFoundByItsIndex) {
  expect_same(set("{ops: [{m: 1}, {m: 2}]}", "ops.1.m", "7"), parse("{ops: [{m: 1}, {m: 7}]}"));
  for (const char* path : {"ops.2.m", "ops.-1.m", "ops.first.m", "ops.1x.m"}) {
    EXPECT_THAT(set_mistake("{ops: [{m: 1}, {m: 2}]}", path), HasSubstr("is not an index below 2")) << path;
  }
}

TEST(SetAt, AnAnnotatedNumberIsReplacedAsAWhole) {
  expect_same(set("{a: {value: 1, kind: assumed, source: s}}", "a", "2"), parse("{a: 2}"));
}

TEST(SetAt, AScalarInTheWayIsAMistake) {
  EXPECT_EQ(set_mistake("{a: {b: 5}}", "a.b.c"), "--set a.b.c: a.b.c: 'a.b' has no members");
  EXPECT_EQ(set_mistake("text", "a"), "--set a: a: there are no members to set");
}

TEST(SetAt, EmptyPartsOfAPathAreAMistake) {
  for (const char* path : {"", ".", "a.", ".a", "a..b"}) {
    EXPECT_THAT(set_mistake("{a: {b: 5}}", path), HasSubstr("a path is words with single dots between them")) << path;
  }
}

TEST(SetAt, WhatWasSetSaysWhereItCameFrom) {
  EXPECT_EQ(set("{a: {b: 1}}", "a.b", "2").find("a")->find("b")->place().file, "--set a.b");
}

TEST(RenderYaml, WhatIsWrittenIsReadBackToTheSameTree) {
  for (const char* text :
       {"{}", "[]", "~", "word", "{a: 1, b: [x, [y, z], {c: d}], e: {f: {}}, g: [], h: ~}",
        "[[1, 2], [[3]], {a: [{b: 1}, {c: 2}]}]", "{\"a b\": \"x: y\", \"k#\": \"#not a comment\", \"\": \"\"}",
        "{quote: \"say \\\"hi\\\" \\\\ back\", lines: \"one\\ntwo\\tthree\", cr: \"a\\rb\", bell: \"\\a\"}",
        "{blank: \" x \", dash: \"- x\", question: \"? x\", tilde: \"~\", none: \"null\", None: \"NULL\", merge: "
        "\"<<\"}",
        "{\"<<\": 1, \"null\": 2, \"~\": 3, \"NULL\": 4, \"-\": 5, \"a: b\": 6}",
        "{star: \"*x\", and: \"&x\", bang: \"!x\", at: \"@x\", percent: \"%x\"}",
        "{doc: \"---\", end: \"...\", number: -5, time: 3 us, power: 0.6 pJ/flop, utf: \"µ 語\"}"}) {
    const Value tree = parse(text);
    const std::string rendered = render_yaml(tree);
    try {
      expect_same(tree, parse(rendered));
    } catch (const InputError& error) {
      ADD_FAILURE() << text << "\nwas written as\n" << rendered << "\n" << error.what();
    }
  }
}

TEST(RenderYaml, NumbersAreReadBackAsNumbers) {
  const Value root = parse(render_yaml(parse("{a: 5, b: -5, c: -0.5 us, d: 1e-3, e: \"8\"}")));
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_FALSE(root.find(key)->quoted) << key;
  EXPECT_TRUE(root.find("e")->quoted);
}

TEST(RenderYaml, MappingsAndListsAreIndented) {
  EXPECT_EQ(render_yaml(parse("{a: {b: 1}, c: [x, {d: 2, e: 3}]}")),
            "a:\n  b: 1\nc:\n  - x\n  -\n    d: 2\n    e: 3\n");
}

}  // namespace
}  // namespace mlosim::spec
