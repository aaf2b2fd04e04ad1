// A table of measured kernel times (interfaces.md, "Measurements"), read from CSV into operators and their times.
// Rows that cannot be used are kept with the reason; nothing is guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/library.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"
#include "validate/suite/protocol.hpp"

namespace mlosim::suite {

// One row. The texts are the table's own except `device`, which is the chip's name in hw_specs.
struct Measurement {
  int line = 0;  // in the file, from 1; the header is line 1
  std::string device;
  std::string op;  // "gemm", "attention_decode", "elementwise", "collective" …
  std::string dtype;
  std::string software;
  std::string source;
  std::string system;  // what the operator ran on: the chip, or a collective's system
  work::Operator work;
  Seconds measured;
  std::optional<Watts> power{};  // of the chip, while the loop ran
  const Protocol* protocol = nullptr;
};

struct Skipped {
  std::string row;  // "file.csv:17"
  std::string reason;
};

struct Table {
  std::string file;
  std::string header;              // the first line, as it stands, less columns of earlier predictions
  std::vector<std::string> texts;  // of the usable rows, likewise
  std::vector<Measurement> rows;   // usable ones, in the file's order
  std::vector<Skipped> skipped;
};

struct ReadOptions {
  bool flagged = false;  // take rows whose `flag` is not empty
};

// Reads a table. Throws spec::InputError where the file is no measurement table: what is not UTF-8, missing columns or
// two of one name, a torn line, text where a number is due. `protocols` outlives the table.
Table read_table(const spec::Library& library, const ProtocolBook& protocols, const std::string& path,
                 const ReadOptions& options);
// Reads tables beside each other, in the order of `paths`.
std::vector<Table> read_tables(const spec::Library& library, const ProtocolBook& protocols,
                               const std::vector<std::string>& paths, const ReadOptions& options);

// What two rows of one shape have in common: the operator and its sizes, neither formats nor devices nor software.
std::vector<std::int64_t> shape_of(const work::Operator& op);
// Whether a shape belongs to the half that parameters are fitted on; the other half is scored. Decided by a hash of the
// shape_of alone, so that a shape falls on the same side on every device, in every format and for every software.
bool is_in_fit_half(const work::Operator& op);
// A split of either half in two, by the same rule: what is measured on one fold is checked on the other.
bool is_in_first_fold(const work::Operator& op);

}  // namespace mlosim::suite
