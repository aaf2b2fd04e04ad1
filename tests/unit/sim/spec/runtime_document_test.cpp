#include "sim/spec/runtime_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/source_tree.hpp"

namespace mlosim::spec {
namespace {

using testing::HasSubstr;
using testing::IsNull;
using testing::NotNull;

constexpr const char* kText = R"(name: r
families:
  # of one
  one: {gemm: {fixed: 1 us}}
  two:
    gemm:
      fixed: 2 us  # two's

    moe: {fixed: 3 us}
  three:
    gemm: {fixed: 4 us}
launch: {decode: graph}
)";

class RuntimeDocumentTest : public testing::Test {
 protected:
  Value read(const std::string& text, std::string_view family) const {
    const std::string path = (folder_.path() / "r.yaml").string();
    support::write_text(path, text);
    return read_runtime_document(path, family);
  }
  std::string mistake(const std::string& text, std::string_view family) const {
    try {
      read(text, family);
      return "none";
    } catch (const InputError& error) {
      return error.what();
    }
  }

  static std::string with(const std::string& what, const std::string& by) {
    std::string text = kText;
    return text.replace(text.find(what), what.size(), by);
  }

 private:
  support::TemporaryDirectory folder_;
};

TEST_F(RuntimeDocumentTest, HasTheFamilyThatIsAskedForAndNoOther) {
  for (const std::string family : {"one", "two", "three"}) {
    const Value document = read(kText, family);
    const Value* families = document.find("families");
    ASSERT_THAT(families, NotNull());
    ASSERT_EQ(families->members.size(), 1u);
    EXPECT_EQ(families->members[0].key, family);
    EXPECT_THAT(document.find("launch"), NotNull());
  }
  EXPECT_TRUE(read(kText, "four").find("families")->members.empty());
}

TEST_F(RuntimeDocumentTest, WhatIsKeptIsWhatTheWholeFileSaysAtTheSamePlace) {
  const Value whole = parse_document(kText, "r.yaml"), part = read(kText, "two");
  const Value &there = *whole.find("families")->find("two"), &here = *part.find("families")->find("two");
  EXPECT_EQ(render_yaml(here), render_yaml(there));
  EXPECT_EQ(here.find("moe")->line, there.find("moe")->line);
  EXPECT_EQ(part.find("launch")->line, whole.find("launch")->line);
}

TEST_F(RuntimeDocumentTest, AMistakeInAnotherFamilyIsNotRead) {
  EXPECT_EQ(mistake(with("gemm: {fixed: 4 us}", "gemm: {fixed: 4 us}}"), "two"), "none");
}

TEST_F(RuntimeDocumentTest, AMistakeInWhatIsReadIsToldAsOfTheWholeFile) {
  EXPECT_THAT(mistake(with("moe:", "gemm:"), "two"), HasSubstr("r.yaml:9:5: key 'gemm' appears twice"));
}

TEST_F(RuntimeDocumentTest, AFileThatIsLaidOutInAnotherWayIsReadAsAWhole) {
  for (const std::string& text :
       {with("families:", "families: # by chip"), with("  two:", "  \"two\":"),
        std::string("{families: {one: 1, two: 2}}"), std::string("families: {one: 1,\n  two: 2}\n"),
        std::string("families:\n    one: 1\n    two: 2\n    ? three\n    : 3\n")}) {
    const Value document = read(text, "two");
    EXPECT_GT(document.find("families")->members.size(), 1u) << text;
    EXPECT_THAT(document.find("families")->find("two"), NotNull()) << text;
  }
}

TEST_F(RuntimeDocumentTest, AnAliasOfAnotherFamilyIsFollowed) {
  const Value document = read(with("one: {gemm", "one: &first {gemm") + "more: *first\n", "two");
  EXPECT_THAT(document.find("more")->find("gemm"), NotNull());
  EXPECT_THAT(document.find("more")->find("moe"), IsNull());
}

TEST_F(RuntimeDocumentTest, AFileThatThereIsNoneOfIsAMistake) {
  EXPECT_THROW(read_runtime_document("nowhere.yaml", "one"), InputError);
}

}  // namespace
}  // namespace mlosim::spec
