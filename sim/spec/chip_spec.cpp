#include "sim/spec/chip_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/units/check.hpp"

namespace mlosim::spec {
namespace {

// Members of a document that are to be read: all, or those that have changed.
class Members {
 public:
  Members() = default;
  explicit Members(std::span<const std::string_view> changed) : changed_(changed), are_all_(false) {}

  bool are_all() const { return are_all_; }
  bool include(std::initializer_list<std::string_view> any) const {
    return are_all_ || std::find_first_of(changed_.begin(), changed_.end(), any.begin(), any.end()) != changed_.end();
  }

 private:
  std::span<const std::string_view> changed_{};
  bool are_all_ = true;
};

std::map<work::DType, Flops> decode_matrix(Node node) {
  std::map<work::DType, Flops> rates;
  for (const work::DType dtype : work::kDTypes) {
    if (node.has(work::name_of(dtype))) rates[dtype] = node.require<Flops>(work::name_of(dtype));
  }
  if (rates.empty()) node.fail("no dtype has a rate", "write at least bf16 or fp16, in flop (per clk and unit)");
  node.finish();
  return rates;
}

std::map<work::DType, JoulesPerFlop> decode_matrix_energy(Node node) {
  std::map<work::DType, JoulesPerFlop> energy;
  for (const work::DType dtype : work::kDTypes) {
    if (node.has(work::name_of(dtype))) energy[dtype] = node.require<JoulesPerFlop>(work::name_of(dtype));
  }
  if (energy.empty()) node.fail("no dtype has an energy", "write at least bf16 or fp16, in pJ/flop");
  node.finish();
  return energy;
}

MemoryLevel decode_level(const std::string& name, Node node) {
  MemoryLevel level{
      .name = name,
      .sharing = node.require_word<Sharing>("sharing", {{"unit", Sharing::unit}, {"chip", Sharing::chip}}),
      .policy = node.require_word<Policy>(
          "policy", {{"scratchpad", Policy::scratchpad}, {"cache", Policy::cache}, {"memory", Policy::memory}}),
      .capacity = node.require<Bytes>("capacity"),
      .bandwidth = node.require<BytesPerSecond>("bandwidth"),
      .latency = node.require<Seconds>("latency"),
      .efficiency = node.number_or("efficiency", 1, Range::fraction),
      .partitions = node.count_or("partitions", 1),
      .partition_link = {},
      .far_latency = {},
      .reuse_share = node.number_or("reuse_share", 0.6, Range::fraction),
  };
  if (node.has("partition_link")) level.partition_link = node.require<BytesPerSecond>("partition_link");
  if (node.has("far_latency")) level.far_latency = node.require<Seconds>("far_latency");
  if (level.partitions == 1 && (level.partition_link || level.far_latency))
    node.fail("'partition_link' and 'far_latency' need 'partitions: 2' or more");
  node.finish();
  return level;
}

std::vector<MemoryLevel> decode_levels(Node& chip) {
  std::vector<MemoryLevel> levels;
  Node names = chip.child("levels");
  for (const Node& item : names.items()) {
    const std::string name = item.as_text();
    if (std::any_of(levels.begin(), levels.end(), [&](const MemoryLevel& l) { return l.name == name; })) {
      item.fail(fmt::format("level '{}' appears twice", name));
      continue;
    }
    levels.push_back(decode_level(name, chip.require_mapping(name)));
  }
  if (levels.empty() || levels.back().policy != Policy::memory) {
    names.fail("the last level must have the policy 'memory'", "list them innermost first: [shared_memory, l2, hbm]");
  }
  return levels;
}

LaunchSpec decode_launch(Node node) {
  LaunchSpec launch{
      .stream = node.require<Seconds>("stream"),
      .graph = node.require<Seconds>("graph"),
      .submit = node.require<Seconds>("submit"),
      .step = node.require<Seconds>("step"),
  };
  node.finish();
  return launch;
}

PowerSpec decode_power(Node node) {
  PowerSpec power{
      .cap = node.require<Watts>("cap"),
      .static_share = node.require_number("static_share", Range::fraction),
      .sustained_energy = node.require_number("sustained_energy"),
      .device_memory = node.require<JoulesPerByte>("device_memory"),
      .vector = node.require<JoulesPerFlop>("vector"),
      .matrix = decode_matrix_energy(node.require_mapping("matrix")),
      .burst_headroom = node.require_number("burst_headroom", Range::non_negative),
      .burst_window = node.require<Seconds>("burst_window"),
  };
  if (power.static_share >= 1) node.fail_at("static_share", "must be less than 1, or nothing is left for work");
  node.finish();
  return power;
}

SystolicArray decode_array(Node node) {
  SystolicArray array{
      .rows = node.require_count("rows"), .cols = node.require_count("cols"), .count = node.require_count("count")};
  node.finish();
  return array;
}

void decode_simt(Node& node, const Members& members, ChipSpec& chip) {
  if (members.include({"gemm"})) chip.gemm = decode_gemm(node.require_mapping("gemm"));
  if (members.include({"attention"})) {
    Node attention = node.require_mapping("attention");
    chip.prefill = decode_attention_prefill(attention.require_mapping("prefill"));
    chip.decode = decode_attention_decode(attention.require_mapping("decode"));
    chip.mla_prefill = decode_attention_prefill(attention.require_mapping("mla_prefill"));
    chip.mla_decode = decode_attention_decode(attention.require_mapping("mla_decode"));
    attention.finish();
  }
  if (members.include({"moe"})) chip.moe = decode_moe(node.require_mapping("moe"));
  if (!chip.scratchpad()) node.fail_at("levels", "a simt chip needs a level of policy 'scratchpad' and sharing 'unit'");
  if (!chip.first_shared_cache())
    node.fail_at("levels", "a simt chip needs a level of policy 'cache' and sharing 'chip'");
}

void decode_systolic_parts(Node& node, const Members& members, ChipSpec& chip) {
  if (members.include({"array"})) chip.array = decode_array(node.require_mapping("array"));
  if (members.include({"systolic"})) chip.systolic = decode_systolic(node.require_mapping("systolic"));
  if (!chip.scratchpad())
    node.fail_at("levels", "a systolic chip needs a level of policy 'scratchpad' and sharing 'unit'");
}

// The dies that hold memory levels know them by name.
void decode_built(Node node, ChipSpec& chip) {
  chip.silicon = decode_silicon(node);
  if (!chip.silicon->io) return;
  for (const std::string& level : chip.silicon->io->levels) {
    if (!chip.find_level(level)) node.fail_at("io", fmt::format("the chip has no level '{}'", level));
  }
}

void decode_levels_again(Node& node, const Members& members, ChipSpec& chip) {
  for (MemoryLevel& level : chip.levels) {
    if (members.include({level.name})) level = decode_level(level.name, node.require_mapping(level.name));
  }
}

// What follows from another part where the document does not say it is decoded with that.
void decode_parts(Node& node, const Members& members, ChipSpec& chip) {
  if (members.include({"clock", "rated_clock"})) {
    chip.clock = node.require<Hertz>("clock");
    chip.rated_clock = node.value_or<Hertz>("rated_clock", chip.clock);
  }
  if (members.include({"units"})) chip.units = node.require_count("units");
  if (members.include({"matrix"})) chip.matrix = decode_matrix(node.require_mapping("matrix"));
  if (members.include({"vector"})) chip.vector = node.require<Flops>("vector");
  if (members.include({"exponentials"})) chip.exponentials = node.require_number("exponentials");
  if (members.are_all()) {
    chip.levels = decode_levels(node);
  } else {
    decode_levels_again(node, members, chip);
  }
  if (chip.levels.empty()) {
    chip.usable_memory = Bytes();
  } else if (members.include({"usable_memory", chip.levels.back().name})) {
    chip.usable_memory = node.value_or<Bytes>("usable_memory", chip.levels.back().capacity);
  }
  if (members.include({"launch"})) chip.launch = decode_launch(node.require_mapping("launch"));
  if (members.include({"power"})) chip.power = decode_power(node.require_mapping("power"));
  if (members.include({"host_link"})) chip.host_link = node.require<BytesPerSecond>("host_link");
  if (members.include({"price"}) && node.has("price")) chip.price = node.require<DollarsPerSecond>("price");
  if (members.include({"capital"}) && node.has("capital")) chip.capital = node.require<Dollars>("capital");
  if (members.include({"silicon"})) {
    if (Node silicon = node.child("silicon"); silicon.is_present()) decode_built(silicon, chip);
  }
  if (members.include({"elementwise"})) chip.elementwise = decode_elementwise(node.require_mapping("elementwise"));
  switch (chip.kind) {
    case ChipKind::simt:
      decode_simt(node, members, chip);
      break;
    case ChipKind::systolic:
      decode_systolic_parts(node, members, chip);
      break;
  }
  for (const auto& [dtype, energy] : chip.power.matrix) {
    if (!chip.matrix.contains(dtype))
      node.fail_at("power", fmt::format("power.matrix names {}, which 'matrix' has no rate for", work::name_of(dtype)));
  }
  if (chip.rated_clock > chip.clock) node.fail_at("rated_clock", "the rated clock is above the highest clock");
}

}  // namespace

BytesPerSecond MemoryLevel::far_rate() const {
  return partition_link ? *partition_link / far_share() : BytesPerSecond(std::numeric_limits<double>::infinity());
}

const MemoryLevel* ChipSpec::find_level(std::string_view level) const {
  for (const MemoryLevel& l : levels) {
    if (l.name == level) return &l;
  }
  return nullptr;
}

const MemoryLevel* ChipSpec::first_shared_cache() const {
  for (const MemoryLevel& l : levels) {
    if (l.policy == Policy::cache && l.sharing == Sharing::chip) return &l;
  }
  return nullptr;
}

const MemoryLevel* ChipSpec::last_cache() const {
  const MemoryLevel* last = nullptr;
  for (const MemoryLevel& l : levels) {
    if (l.policy == Policy::cache && l.sharing == Sharing::chip) last = &l;
  }
  return last;
}

const MemoryLevel* ChipSpec::scratchpad() const {
  for (const MemoryLevel& l : levels) {
    if (l.policy == Policy::scratchpad && l.sharing == Sharing::unit) return &l;
  }
  return nullptr;
}

std::optional<FlopsPerSecond> ChipSpec::matrix_rate(work::DType arithmetic, Hertz at) const {
  const auto rate = matrix.find(arithmetic);
  if (rate != matrix.end()) return rate->second * static_cast<double>(units) * at;
  if (arithmetic == work::DType::fp32) return vector * static_cast<double>(units) * at;
  return std::nullopt;
}

JoulesPerFlop ChipSpec::matrix_energy(work::DType arithmetic) const {
  if (const auto own = power.matrix.find(arithmetic); own != power.matrix.end()) return own->second;
  const auto rate = matrix.find(arithmetic);
  if (rate == matrix.end()) return power.vector;
  const auto& [known_dtype, known] = *power.matrix.begin();
  const auto known_rate = matrix.find(known_dtype);
  MLOSIM_CHECK(known_rate != matrix.end());
  return known * (known_rate->second / rate->second);
}

ChipSpec decode_chip(Node node) {
  ChipSpec chip;
  node.expect_schema("mlosim/chip/1");
  chip.name = node.require_text("name");
  chip.family = node.require_text("family");
  chip.vendor = node.require_text("vendor");
  chip.kind = node.require_word<ChipKind>("kind", {{"simt", ChipKind::simt}, {"systolic", ChipKind::systolic}});
  decode_parts(node, Members(), chip);
  node.finish();
  return chip;
}

void decode_chip_again(Node node, std::span<const std::string_view> members, ChipSpec& chip) {
  decode_parts(node, Members(members), chip);
}

}  // namespace mlosim::spec
