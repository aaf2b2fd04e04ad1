#include "validate/compare/predict_row.hpp"

#include <algorithm>

#include "sim/units/check.hpp"
#include "validate/compare/latent_layer.hpp"

namespace mlosim::compare {
namespace {

// An eager launch costs more than the one inside a replayed graph that kernels' fixed times hold.
Seconds launch_beyond_graph(const suite::Protocol& protocol, const spec::LaunchSpec& launch, int kernels) {
  if (protocol.launch != spec::LaunchPath::eager) return Seconds(0);
  return static_cast<double>(kernels) * std::max(Seconds(0), launch.stream - launch.graph);
}

chip::OperandState operands_of(const suite::Protocol& protocol) {
  return {.between_uses = Bytes(0), .rotates_weights = protocol.weights == suite::Weights::rotated};
}

}  // namespace

RowPrediction predict_row(const suite::Measurement& row, const spec::Hardware& hardware, chip::Fidelity fidelity) {
  const suite::Protocol& protocol = *row.protocol;
  const machine::PriceOptions options{.fidelity = fidelity,
                                      .operands = operands_of(protocol),
                                      .sustained = protocol.sustained,
                                      .custom_all_reduce = protocol.custom_all_reduce,
                                      .kernel = protocol.kernel};
  RowPrediction p;
  p.price = machine::price_operator(row.work, hardware, options);
  p.time = p.price.time;
  if (fidelity == chip::Fidelity::roofline) return p;
  if (protocol.whole_layer) {
    for (const work::Operator& op : operators_around_latent_attention(row.work))
      p.time += machine::price_operator(op, hardware, options).time;
  }
  p.time += launch_beyond_graph(protocol, hardware.system.chip.launch, p.price.kernels) + protocol.added_on(row.device);
  p.time = std::max(p.time, protocol.host_on(row.device));
  return p;
}

Machines::Machines(const spec::Library& library, std::vector<suite::Table>& tables) {
  std::map<std::pair<std::string, std::string>, std::string> unreadable;
  for (suite::Table& table : tables) {
    std::vector<suite::Measurement> rows;
    std::vector<std::string> texts;
    rows.reserve(table.rows.size());
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      suite::Measurement& row = table.rows[i];
      const std::pair<std::string, std::string> key{row.system, row.protocol->runtime};
      if (!machines_.contains(key) && !unreadable.contains(key)) {
        try {
          std::vector<std::string> warnings;
          const spec::HardwareDocuments documents = spec::read_hardware(library, key.first, key.second, warnings);
          spec::Decoding decoding;
          spec::Hardware hardware = spec::decode_hardware(documents, decoding);
          decoding.diagnostics.throw_if_any();
          machines_.emplace(key, std::move(hardware));
        } catch (const spec::InputError& error) {
          unreadable.emplace(key, error.what());
        }
      }
      if (const auto wrong = unreadable.find(key); wrong != unreadable.end()) {
        table.skipped.push_back({table.file + ":" + std::to_string(row.line), wrong->second});
        continue;
      }
      rows.push_back(std::move(row));
      texts.push_back(std::move(table.texts[i]));
    }
    table.rows = std::move(rows);
    table.texts = std::move(texts);
  }
}

const spec::Hardware& Machines::of(const suite::Measurement& row) const {
  const auto found = machines_.find({row.system, row.protocol->runtime});
  MLOSIM_CHECK(found != machines_.end());
  return found->second;
}

}  // namespace mlosim::compare
