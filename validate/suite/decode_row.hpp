// One row's cells as an operator: the table's spellings are put into the contract's words, and the one decoder of
// operators (models/predict) does the rest. Internal to validate/suite.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/spec/document.hpp"
#include "validate/suite/protocol.hpp"

namespace mlosim::suite {

// The cells that describe the operator, by column.
using RowCells = std::vector<std::pair<std::string_view, spec::Value>>;

// A row's `ops:` entry, or why mlosim has no such operator.
struct OpEntry {
  spec::Value entry;
  std::optional<std::string> not_modelled;
};

// `op` is the row's operator; `cells` hold the other columns that its table has, none of them empty.
OpEntry make_op_entry(std::string_view op, const RowCells& cells, const Protocol& protocol, const spec::Value& row);

// The formats that a row's `dtype` may name, conversions aside.
std::vector<std::string> format_names();

// "a100_sxm" is the chip a100_sxm_80gb.
std::string chip_of_device(std::string_view device);

}  // namespace mlosim::suite
