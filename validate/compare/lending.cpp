#include "validate/compare/lending.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mlosim::compare {
namespace {

// Where the parameters of an operator's kernels are.
struct BlockOf {
  std::string operator()(const work::Gemm&) const { return "chip.gemm."; }
  std::string operator()(const work::MoeGemm&) const { return "chip.moe."; }
  std::string operator()(const work::AttentionPrefill&) const { return "chip.attention.prefill."; }
  std::string operator()(const work::AttentionDecode&) const { return "chip.attention.decode."; }
  std::string operator()(const work::MlaPrefill&) const { return "chip.attention.mla_prefill."; }
  std::string operator()(const work::MlaDecode&) const { return "chip.attention.mla_decode."; }
  std::string operator()(const work::Elementwise&) const { return kStreaming; }
  std::string operator()(const work::Embedding&) const { return kStreaming; }
  std::string operator()(const work::Sampling&) const { return kStreaming; }
  std::string operator()(const work::Collective&) const { return "collectives."; }

  static constexpr const char* kStreaming = "chip.elementwise.";
};

using Number = spec::ProvenanceTable::value_type;

// The numbers of a block that come from measured rows, but for those below `left_out`.
std::vector<const Number*> numbers_from_rows(const spec::ProvenanceTable& provenance, const std::string& block,
                                             const std::string& left_out) {
  std::vector<const Number*> numbers;
  for (auto number = provenance.lower_bound(block); number != provenance.end() && number->first.starts_with(block);
       ++number) {
    const spec::SourceKind kind = number->second.kind;
    const bool is_from_rows = kind == spec::SourceKind::fitted || kind == spec::SourceKind::measured;
    if (is_from_rows && (left_out.empty() || !number->first.starts_with(left_out))) numbers.push_back(&*number);
  }
  return numbers;
}

// Those that the operator's kernels have for themselves, or else those of all streaming kernels.
std::vector<const Number*> numbers_from_rows(const spec::Hardware& hardware, const work::Operator& op) {
  if (hardware.system.chip.kind == spec::ChipKind::systolic)
    return numbers_from_rows(hardware.provenance, "chip.systolic.", "");
  const std::string block = std::visit(BlockOf(), op);
  if (block != BlockOf::kStreaming) return numbers_from_rows(hardware.provenance, block, "");
  const std::string kinds = block + "kinds.";
  const std::vector<const Number*> own =
      numbers_from_rows(hardware.provenance, fmt::format("{}{}.", kinds, work::name_of(op)), "");
  return own.empty() ? numbers_from_rows(hardware.provenance, block, kinds) : own;
}

// Words in lower case with a space around each: " cal h100 sxm gemm csv ".
std::string words_of(std::string_view text) {
  std::string words = " ";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte)) {
      words += static_cast<char>(std::tolower(byte));
    } else if (words.back() != ' ') {
      words += ' ';
    }
  }
  return words.back() == ' ' ? words : words + ' ';
}

// "a100_sxm_80gb" is " a100 sxm ": sources do not always say how large the memory is.
std::string words_of_chip(const std::string& chip) {
  const std::size_t last = chip.rfind('_');
  const bool ends_in_capacity = last != std::string::npos && std::isdigit(static_cast<unsigned char>(chip[last + 1])) &&
                                (chip.ends_with("gb") || chip.ends_with('g'));
  return words_of(ends_in_capacity ? chip.substr(0, last) : chip);
}

}  // namespace

spec::Hardware borrow(const spec::Hardware& borrower, const spec::ChipSpec& lender) {
  spec::Hardware hardware = borrower;
  spec::ChipSpec& chip = hardware.system.chip;
  chip.gemm = lender.gemm;
  chip.prefill = lender.prefill;
  chip.decode = lender.decode;
  chip.mla_prefill = lender.mla_prefill;
  chip.mla_decode = lender.mla_decode;
  chip.moe = lender.moe;
  chip.elementwise = lender.elementwise;
  chip.systolic = lender.systolic;
  for (spec::MemoryLevel& level : chip.levels) {
    if (const spec::MemoryLevel* other = lender.find_level(level.name)) {
      level.efficiency = other->efficiency;
      level.reuse_share = other->reuse_share;
    }
  }
  std::map<work::DType, JoulesPerFlop> energies;
  for (const auto& [dtype, rate] : chip.matrix) {
    if (lender.matrix.contains(dtype)) energies[dtype] = lender.matrix_energy(dtype);
  }
  if (energies.empty()) energies = chip.power.matrix;
  const Watts cap = chip.power.cap;
  chip.power = lender.power;
  chip.power.cap = cap;
  chip.power.matrix = std::move(energies);
  return hardware;
}

bool tells_of_unfitted(const spec::Hardware& borrower, const spec::Hardware& lender, const work::Operator& op) {
  const std::string its_name = words_of_chip(borrower.system.chip.name);
  const std::string lenders_name = words_of_chip(lender.system.chip.name);
  const auto is_new = [&](const Number* own) {
    const auto lent = lender.provenance.find(own->first);
    if (lent == lender.provenance.end()) return true;
    const std::string source = words_of(lent->second.source);
    if (source.find(its_name) != std::string::npos) return false;
    return lent->second.text != own->second.text || source.find(lenders_name) != std::string::npos;
  };
  const std::vector<const Number*> numbers = numbers_from_rows(borrower, op);
  return numbers.empty() || std::any_of(numbers.begin(), numbers.end(), is_new);
}

}  // namespace mlosim::compare
