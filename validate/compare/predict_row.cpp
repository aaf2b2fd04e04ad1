#include "validate/compare/predict_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "sim/spec/document.hpp"
#include "sim/units/check.hpp"
#include "validate/compare/latent_layer.hpp"

namespace mlosim::compare {
namespace {

// An eager launch costs more than the one inside a replayed graph that kernels' fixed times hold.
Seconds launch_beyond_graph(const suite::Protocol& protocol, const spec::LaunchSpec& launch, int kernels) {
  if (protocol.launch != spec::LaunchPath::eager) return Seconds(0);
  return static_cast<double>(kernels) * std::max(Seconds(0), launch.stream - launch.graph);
}

// What other copies of the weights leave of the caches.
chip::OperandState operands_of(const suite::Protocol& protocol, const spec::ChipSpec& chip) {
  const spec::MemoryLevel* cache = chip.last_cache();
  const bool is_cold = protocol.weights == suite::Weights::cold && cache != nullptr;
  return {.between_uses = is_cold ? 2 * cache->capacity : Bytes(0),
          .rotates_weights = protocol.weights == suite::Weights::rotated};
}

// One rank's copy of a collective's message.
work::Operator copy_of_message(const work::Collective& collective) {
  const auto elements = static_cast<std::int64_t>(collective.bytes.si()) / 2;
  constexpr std::int64_t kRow = 4096;
  const std::int64_t cols = std::clamp<std::int64_t>(elements, 1, kRow);
  return work::Elementwise{.kind = work::ElementwiseKind::copy,
                           .rows = std::max<std::int64_t>(1, elements / cols),
                           .cols = cols,
                           .dtype = work::DType::bf16,
                           .bytes_in = collective.bytes,
                           .bytes_out = collective.bytes};
}

}  // namespace

RowPrediction predict_row(const suite::Measurement& row, const spec::Hardware& hardware, const Fineness& fineness) {
  const suite::Protocol& protocol = *row.protocol;
  const machine::PriceOptions options{.fidelity = fineness.fidelity,
                                      .operands = operands_of(protocol, hardware.system.chip),
                                      .sustained = protocol.sustained,
                                      .custom_all_reduce = protocol.custom_all_reduce,
                                      .max_events = fineness.max_events,
                                      .kernel = protocol.kernel};
  RowPrediction p;
  p.price = machine::price_operator(row.work, hardware, options);
  p.time = p.price.time;
  if (fineness.fidelity == chip::Fidelity::roofline) return p;
  if (protocol.whole_layer) {
    for (const work::Operator& op : operators_around_latent_attention(row.work))
      p.time += machine::price_operator(op, hardware, options).time;
  }
  if (const auto* collective = std::get_if<work::Collective>(&row.work); collective && protocol.copies_message)
    p.time += machine::price_operator(copy_of_message(*collective), hardware, options).time;
  p.time += launch_beyond_graph(protocol, hardware.system.chip.launch, p.price.kernels) + protocol.added_on(row.device);
  p.time = std::max(p.time, protocol.host_on(row.device));
  p.power = hardware.system.chip.power.static_power() + p.price.dynamic_energy / p.time;
  return p;
}

Machines::Machines(const spec::Library& library, std::vector<suite::Table>& tables) {
  std::map<std::string, std::string> unknown;  // what is said of systems that there are none of
  for (suite::Table& table : tables) {
    std::vector<suite::Measurement> rows;
    std::vector<std::string> texts;
    rows.reserve(table.rows.size());
    texts.reserve(table.rows.size());
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      suite::Measurement& row = table.rows[i];
      const Key key = key_of(row);
      if (!machines_.contains(key) && !unknown.contains(row.system)) {
        if (const auto wrong = spec::check_system_name(library, row.system, {}))
          unknown.emplace(row.system, wrong->message);
        else
          machines_.emplace(key, read(library, row));
      }
      if (const auto wrong = unknown.find(row.system); wrong != unknown.end()) {
        table.skipped.push_back({fmt::format("{}:{}", table.file, row.line), wrong->second});
        continue;
      }
      rows.push_back(std::move(row));
      texts.push_back(std::move(table.texts[i]));
    }
    table.rows = std::move(rows);
    table.texts = std::move(texts);
  }
  std::sort(warnings_.begin(), warnings_.end());
  warnings_.erase(std::unique(warnings_.begin(), warnings_.end()), warnings_.end());
}

Machines::Key Machines::key_of(const suite::Measurement& row) {
  const bool is_collective = std::holds_alternative<work::Collective>(row.work);
  return {row.system, row.protocol->runtime, is_collective ? row.protocol->library_version : std::string()};
}

spec::Hardware Machines::read(const spec::Library& library, const suite::Measurement& row) {
  const auto [system, runtime, version] = key_of(row);
  spec::HardwareDocuments documents = spec::read_hardware(library, system, {.name = runtime}, warnings_);
  const bool has_versions = documents.collectives.find("versions") != nullptr;
  if (!version.empty() && has_versions)
    spec::set_at(documents.collectives, "version", spec::make_scalar(version, row.protocol->name));
  return spec::require_hardware(documents, warnings_);
}

const spec::Hardware& Machines::of(const suite::Measurement& row) const {
  const auto found = machines_.find(key_of(row));
  MLOSIM_CHECK(found != machines_.end());
  return found->second;
}

}  // namespace mlosim::compare
