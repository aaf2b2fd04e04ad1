// What hw_specs/ promises of its numbers: each says where it comes from, published ones name a source of sources.yaml,
// and the operations per clock of every chip give the peaks that its vendor states.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/spec/document.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/units/parse.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::spec {
namespace {

using testing::IsEmpty;
using work::DType;

struct SpecFile {
  std::string name;  // "h100_sxm"
  Value document;
  bool exists = true;  // false for chips to come
};

std::vector<SpecFile> spec_files() {
  std::vector<SpecFile> files;
  for (const auto& file :
       support::source_files({"hw_specs/chips", "hw_specs/families", "hw_specs/systems"}, {".yaml"})) {
    files.push_back({file.stem().string(), read_document((support::source_dir() / file).string()),
                     file.parent_path().filename() != "next"});
  }
  for (const std::string name : {"economics", "silicon", "uncertainty"})
    files.push_back({name, read_document((support::source_dir() / "hw_specs" / (name + ".yaml")).string())});
  return files;
}

// A number, or a block of numbers, with its annotation.
bool is_sourced(const Value& value) {
  const Value* kind = value.find("kind");
  const Value* source = value.find("source");
  return kind && source && kind->is_scalar() && source->is_scalar() && !source->text.empty();
}

bool is_number(const Value& value) {
  return value.is_scalar() && !value.quoted && std::holds_alternative<ParsedQuantity>(parse_quantity(value.text));
}

std::string where(const Value& value, const std::string& path) {
  return fmt::format("{}:{}: {} = {}", value.place().file, value.line, path, value.text);
}

void collect_bare_numbers(const Value& value, const std::string& path, std::vector<std::string>& bare) {
  if (is_sourced(value)) return;
  if (is_number(value)) bare.push_back(where(value, path));
  for (const Value& item : value.items) collect_bare_numbers(item, path, bare);
  for (const Member& member : value.members) collect_bare_numbers(member.value, path + "." + member.key, bare);
}

void collect_sourced(const Value& value, std::vector<const Value*>& sourced) {
  if (is_sourced(value)) sourced.push_back(&value);
  for (const Value& item : value.items) collect_sourced(item, sourced);
  for (const Member& member : value.members) collect_sourced(member.value, sourced);
}

// "HOPB" of "HOPB, 272 clk at 1980 MHz".
std::string key_of(const std::string& source) {
  const auto is_key = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return {source.begin(), std::find_if_not(source.begin(), source.end(), is_key)};
}

ChipSpec decode(const std::string& name) {
  const Library library({support::source_dir().string()});
  const Value document = with_family(library, read_document(library.require(Shelf::chips, name)));
  Decoding decoding;
  ChipSpec chip = decode_chip(Node(&document, "chip", &decoding));
  decoding.diagnostics.throw_if_any();
  return chip;
}

TEST(HardwareSpecs, EveryNumberSaysWhereItComesFrom) {
  std::vector<std::string> bare;
  for (const SpecFile& file : spec_files()) collect_bare_numbers(file.document, file.name, bare);
  EXPECT_THAT(bare, IsEmpty());
}

TEST(HardwareSpecs, EveryPublishedMeasuredOrFittedNumberNamesAListedSource) {
  const Value list = read_document((support::source_dir() / "hw_specs/sources.yaml").string());
  const std::set<std::string> published = {"datasheet", "measured", "fitted"};
  const std::set<std::string> reasoned = {"derived", "assumed"};
  std::vector<std::string> wrong;
  for (const SpecFile& file : spec_files()) {
    std::vector<const Value*> sourced;
    collect_sourced(file.document, sourced);
    for (const Value* number : sourced) {
      const std::string& kind = number->find("kind")->text;
      const Value& source = *number->find("source");
      const bool is_listed = list.find(key_of(source.text)) != nullptr;
      if (published.count(kind) > 0 ? !is_listed : reasoned.count(kind) == 0) wrong.push_back(where(source, kind));
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(HardwareSpecs, EveryFileIsNamedForWhatItHolds) {
  for (const SpecFile& file : spec_files()) {
    const Value* name = file.document.find("name");
    ASSERT_NE(name, nullptr) << file.name;
    EXPECT_EQ(name->text, file.name);
  }
}

TEST(HardwareSpecs, EveryFamilyOfChipsHasAChip) {
  std::set<std::string> families, used;
  for (const SpecFile& file : spec_files()) {
    if (const Value* family = file.document.find("family")) used.insert(family->text);
    if (file.document.find("schema")->text == "mlosim/family/1") families.insert(file.name);
  }
  EXPECT_EQ(families, used);
}

struct Peak {
  std::string chip;
  DType dtype;
  double tera;  // dense TFLOP/s or TOP/s as the vendor states it
};

// Data sheets, as sources.yaml names them for each chip. L40S's tf32, fp8 and int8 peaks and Hopper's fp64 are missing:
// NVIDIA states them at another clock than the 16-bit ones.
const std::vector<Peak> kPeaks = {
    {"v100_sxm2_32gb", DType::fp16, 125},
    {"v100_pcie_32g", DType::fp16, 112},
    {"t4", DType::fp16, 65},
    {"t4", DType::int8, 130},
    {"a100_sxm_40gb", DType::bf16, 312},
    {"a100_sxm_80gb", DType::bf16, 312},
    {"a100_sxm_80gb", DType::fp16, 312},
    {"a100_sxm_80gb", DType::tf32, 156},
    {"a100_sxm_80gb", DType::int8, 624},
    {"a100_sxm_80gb", DType::fp64, 19.5},
    {"a100_sxm_80gb", DType::fp32, 19.5},
    {"a100_pcie_40g", DType::bf16, 312},
    {"a100_pcie_80g", DType::bf16, 312},
    {"a40", DType::bf16, 149.7},
    {"a40", DType::tf32, 74.8},
    {"a40", DType::int8, 299.3},
    {"a6000", DType::bf16, 154.8},
    {"h100_sxm", DType::bf16, 989},
    {"h100_sxm", DType::fp16, 989},
    {"h100_sxm", DType::tf32, 494.5},
    {"h100_sxm", DType::fp8, 1979},
    {"h100_sxm", DType::int8, 1979},
    {"h100_pcie", DType::bf16, 756},
    {"h100_pcie", DType::tf32, 378},
    {"h100_pcie", DType::fp8, 1513},
    {"h200_sxm", DType::bf16, 989},
    {"h200_sxm", DType::fp8, 1979},
    {"h800_sxm", DType::bf16, 989},
    {"b200_sxm", DType::bf16, 2250},
    {"b200_sxm", DType::tf32, 1125},
    {"b200_sxm", DType::fp8, 4500},
    {"b200_sxm", DType::int8, 4500},
    {"b200_sxm", DType::nvfp4, 9000},
    {"gb200", DType::bf16, 2500},
    {"gb200", DType::fp8, 5000},
    {"gb200", DType::nvfp4, 10000},
    {"b300_sxm", DType::bf16, 2250},
    {"b300_sxm", DType::fp8, 4500},
    {"b300_sxm", DType::nvfp4, 13500},
    {"b300_sxm", DType::int8, 153.5},
    {"gb300", DType::bf16, 2500},
    {"gb300", DType::nvfp4, 15000},
    {"gb300", DType::int8, 165},
    {"l40s", DType::bf16, 362},
    {"l4", DType::bf16, 121},
    {"l4", DType::fp8, 242},
    {"rtx_4090", DType::bf16, 165.2},
    {"rtx_4090", DType::fp8, 330.3},
    {"rtx_4090", DType::int8, 660.6},
    {"rtx_pro_6000_server", DType::bf16, 467.8},
    {"mi210", DType::bf16, 181},
    {"mi210", DType::fp32, 45.3},
    {"mi250x", DType::bf16, 383},
    {"mi250x", DType::int8, 383},
    {"mi300x", DType::bf16, 1307},
    {"mi300x", DType::tf32, 653.7},
    {"mi300x", DType::fp8, 2610},
    {"mi300x", DType::fp32, 163.4},
    {"mi325x", DType::bf16, 1307},
    {"mi325x", DType::fp8, 2610},
    {"mi355x", DType::bf16, 2516},
    {"mi355x", DType::fp8, 5033},
    {"mi355x", DType::mxfp4, 10066},
    {"tpu_v2", DType::bf16, 46},
    {"tpu_v3", DType::bf16, 123},
    {"tpu_v4", DType::bf16, 275},
    {"tpu_v4", DType::int8, 275},
    {"tpu_v4i", DType::bf16, 137},
    {"tpu_v5e", DType::bf16, 197},
    {"tpu_v5e", DType::int8, 393},
    {"tpu_v5p", DType::bf16, 459},
    {"tpu_v5p", DType::int8, 918},
    {"tpu_v6e", DType::bf16, 918},
    {"tpu_v6e", DType::int8, 1836},
    {"tpu_v7", DType::bf16, 2307},
    {"tpu_v7", DType::fp8, 4614},
    {"trainium2", DType::bf16, 667},
    {"trainium2", DType::fp8, 1299},
    {"trainium2", DType::fp32, 181},
    {"gaudi2", DType::bf16, 432},
    {"gaudi2", DType::fp8, 865},
    {"gaudi3", DType::bf16, 1677},
    {"gaudi3", DType::fp8, 1677},
};

TEST(HardwareSpecs, OperationsPerClockGiveThePeaksOfTheDataSheets) {
  for (const Peak& peak : kPeaks) {
    const auto rate = decode(peak.chip).matrix_peak(peak.dtype);
    ASSERT_TRUE(rate.has_value()) << peak.chip << " " << work::name_of(peak.dtype);
    EXPECT_NEAR(rate->si() / 1e12, peak.tera, 0.005 * peak.tera) << peak.chip << " " << work::name_of(peak.dtype);
  }
}

TEST(HardwareSpecs, EveryChipThatExistsHasAPeakThatIsChecked) {
  std::set<std::string> checked, chips;
  for (const Peak& peak : kPeaks) checked.insert(peak.chip);
  for (const SpecFile& file : spec_files()) {
    if (file.exists && file.document.find("family")) chips.insert(file.name);
  }
  EXPECT_EQ(chips, checked);
}

// A format that a chip lists must be one that it has: no bf16 before Ampere, no fp8 before Ada, no int8 on TPU v7.
TEST(HardwareSpecs, ChipsLackTheFormatsThatTheyDoNotHave) {
  for (const char* chip : {"v100_sxm2_32gb", "v100_pcie_32g", "t4"})
    EXPECT_FALSE(decode(chip).matrix_peak(DType::bf16)) << chip;
  for (const char* chip : {"a100_sxm_80gb", "a40", "mi250x", "tpu_v4"})
    EXPECT_FALSE(decode(chip).matrix_peak(DType::fp8)) << chip;
  for (const char* chip : {"h100_sxm", "l40s", "mi300x"}) EXPECT_FALSE(decode(chip).matrix_peak(DType::nvfp4)) << chip;
  EXPECT_FALSE(decode("tpu_v7").matrix_peak(DType::int8));
}

}  // namespace
}  // namespace mlosim::spec
