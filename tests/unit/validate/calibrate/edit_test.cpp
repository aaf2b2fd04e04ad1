#include "validate/calibrate/edit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "sim/spec/document.hpp"
#include "tests/support/source_tree.hpp"
#include "validate/calibrate/parameter.hpp"

namespace mlosim::calibrate {
namespace {

using testing::HasSubstr;

const std::string kDocument =
    "schema: mlosim/chip/1  # of tests\n"
    "gemm:\n"
    "  fixed:    {value: 1.98 us, kind: fitted, source: \"MLO, with {braces}, and 'quotes'\"}  # a comment\n"
    "  prologue: {value: 810 clk, kind: fitted, source: MLO}\n"
    "\n"
    "# The memory.\n"
    "hbm:\n"
    "  bandwidth: {value: 3 TB/s, kind: datasheet, source: MLE}\n"
    "\n"
    "  # nothing more\n"
    "power:\n"
    "  cap: {value: 700 W, kind: datasheet, source: MLE}\n"
    "one_line: {a: 1, b: 2}\n";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string number_at(const std::string& text, const std::string& path) {
  const spec::Value root = spec::parse_document(text, "edited");
  const spec::Value* value = value_at(root, "chip." + path);
  return value && value->find("value") ? value->find("value")->text : "";
}

TEST(EditDocument, ReplacesANumberAndLeavesEveryOtherLineAsItWas) {
  const std::string edited = edit_document(kDocument, "x.yaml", "", {{"gemm.fixed", "2.1 us", "CAL, rows; se 2 %"}});
  const std::vector<std::string> before = lines_of(kDocument), after = lines_of(edited);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (i == 2) {
      EXPECT_EQ(after[i], "  fixed:    {value: 2.1 us,  kind: fitted, source: \"CAL, rows; se 2 %\"}  # a comment");
    } else {
      EXPECT_EQ(after[i], before[i]);
    }
  }
  EXPECT_EQ(number_at(edited, "gemm.fixed"), "2.1 us");
}

TEST(EditDocument, AddsAMissingNumberToItsMapping) {
  const std::string edited = edit_document(kDocument, "x.yaml", "", {{"hbm.efficiency", "0.8", "CAL, rows"}});
  EXPECT_EQ(number_at(edited, "hbm.efficiency"), "0.8");
  EXPECT_THAT(
      edited,
      HasSubstr("source: MLE}\n  efficiency: {value: 0.8, kind: fitted, source: \"CAL, rows\"}\n\n  # nothing"));
  EXPECT_EQ(lines_of(edited).size(), lines_of(kDocument).size() + 1);
}

TEST(EditDocument, AddsTheMappingsThatANumberNeeds) {
  const std::string edited = edit_document(kDocument, "x.yaml", "families.hopper.",
                                           {{"gemm.fixed", "2 us", "CAL"}, {"gemm.k_step", "9 clk", "CAL"}});
  EXPECT_TRUE(edited.starts_with(kDocument));
  EXPECT_EQ(number_at(edited, "families.hopper.gemm.fixed"), "2 us");
  EXPECT_EQ(number_at(edited, "families.hopper.gemm.k_step"), "9 clk");
}

TEST(EditDocument, KeepsAFileThatDoesNotEndInANewline) {
  const std::string text = "gemm:\n  fixed: {value: 1 us, kind: fitted, source: MLO}";
  const std::string edited = edit_document(text, "x.yaml", "", {{"gemm.prologue", "5 clk", "CAL"}});
  EXPECT_EQ(number_at(edited, "gemm.prologue"), "5 clk");
  EXPECT_EQ(number_at(edited, "gemm.fixed"), "1 us");
}

TEST(EditDocument, RefusesWhatItCannotAddToWithThePlace) {
  const auto mistake = [](const std::string& path) {
    try {
      return edit_document(kDocument, "x.yaml", "", {{path, "1", "CAL"}});
    } catch (const spec::InputError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(mistake("one_line.c"), HasSubstr("x.yaml:13:"));
  EXPECT_THAT(mistake("gemm.fixed.more"), HasSubstr("x.yaml:3:"));
}

// What edit_document makes of `gemm: {fixed: <number>}` and two more numbers below it.
std::string with_a_new_number_for(const std::string& number) {
  const std::string after = "  prologue: {value: 810 clk, kind: fitted, source: MLO}\nhbm: {capacity: 80 GB}\n";
  const std::string edited =
      edit_document("gemm:\n  fixed: " + number + "\n" + after, "x.yaml", "", {{"gemm.fixed", "2.1 us", "CAL"}});
  EXPECT_TRUE(edited.ends_with("}\n" + after)) << "what stands below is lost:\n" << edited;
  EXPECT_EQ(number_at(edited, "gemm.fixed"), "2.1 us") << edited;
  EXPECT_EQ(number_at(edited, "gemm.prologue"), "810 clk") << edited;
  return edited;
}

TEST(EditDocument, TakesAnApostropheInPlainTextForALetter) {
  with_a_new_number_for("{value: 2 us, kind: fitted, source: the vendor guide's figure}");
  with_a_new_number_for("{source: the vendors' \"figures, value: 2 us}");
  with_a_new_number_for("{value: 2 us, source: http://x'y}");
}

TEST(EditDocument, SkipsCommentsInsideANumber) {
  with_a_new_number_for("{value: 2 us,  # it's a guess }\n          kind: fitted, source: MLO}");
  with_a_new_number_for("{value: 2 us # {it's\n          , kind: fitted, source: MLO}");
  with_a_new_number_for("{value: 2 us, source: C#'s}");
}

TEST(EditDocument, SeesWhereQuotedTextEnds) {
  with_a_new_number_for("{value: 2 us, source: 'it''s in } here, # too'}");
  with_a_new_number_for(R"({"value": 2 us, "source": "a \" and a }"})");
  with_a_new_number_for(R"({"value":"2 us","source":'}'})");
  with_a_new_number_for("{value: 2 us, source: [a, {b: 'c}'}]}");
}

TEST(EditDocument, RefusesAFileThatItWouldChangeElsewhere) {
  const std::string aliased = "gemm:\n  fixed: &one {value: 1 us, kind: fitted, source: MLO}\n  prologue: *one\n";
  EXPECT_THROW(edit_document(aliased, "x.yaml", "", {{"gemm.fixed", "2 us", "CAL"}}), spec::InputError);
  EXPECT_THROW(edit_document(aliased, "x.yaml", "", {{"gemm.prologue", "2 us", "CAL"}}), spec::InputError);
}

TEST(EditDocument, EndsNewLinesAsTheFileDoes) {
  const std::string text = "gemm:\r\n  fixed: {value: 1 us, kind: fitted, source: MLO}\r\n";
  EXPECT_EQ(edit_document(text, "x.yaml", "", {{"gemm.prologue", "5 clk", "CAL"}, {"hbm.efficiency", "0.8", "CAL"}}),
            text +
                "  prologue: {value: 5 clk, kind: fitted, source: \"CAL\"}\r\n\r\n"
                "hbm:\r\n  efficiency: {value: 0.8, kind: fitted, source: \"CAL\"}\r\n");
}

TEST(EditDocument, WritesWhateverASuiteIsCalled) {
  const std::string name = "CAL, a \"b\" \\ 'c'\n.csv";
  const std::string edited = edit_document(kDocument, "x.yaml", "", {{"gemm.fixed", "2.1 us", name}});
  const spec::Value root = spec::parse_document(edited, "x.yaml");
  EXPECT_EQ(root.find("gemm")->find("fixed")->find("source")->text, name);
}

TEST(EditDocument, EveryFittedNumberOfAFamilyCanBeReplacedByItself) {
  const spec::Library library({MLOSIM_SOURCE_DIR});
  const std::vector<ParameterRule> rules = read_parameter_rules(library);
  const std::vector<std::string> operators{"gemm",       "attention_prefill", "attention_decode", "mla_prefill",
                                           "mla_decode", "moe_gemm",          "elementwise"};
  for (const std::string& family : std::vector<std::string>{"ampere", "blackwell", "tpu_256"}) {
    const std::string file = library.require(spec::Shelf::families, family);
    const std::string text = support::read_text(file);
    const spec::Value document = spec::parse_document(text, file);
    std::vector<Entry> entries;
    for (const FreeParameter& p : free_parameters(rules, document, operators, {}))
      entries.push_back({p.path.substr(5), p.text, "CAL"});
    const std::string edited = edit_document(text, file, "", entries);
    EXPECT_EQ(lines_of(edited).size(), lines_of(text).size()) << family;
    const spec::Value again = spec::parse_document(edited, file);
    const std::vector<FreeParameter> found = free_parameters(rules, again, operators, {});
    ASSERT_EQ(found.size(), entries.size()) << family;
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].text, entries[i].text) << family;
  }
}

}  // namespace
}  // namespace mlosim::calibrate
