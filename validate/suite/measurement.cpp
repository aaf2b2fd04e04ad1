#include "validate/suite/measurement.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "models/predict/workload.hpp"
#include "sim/spec/document.hpp"
#include "sim/spec/utf8.hpp"
#include "validate/suite/csv.hpp"
#include "validate/suite/decode_row.hpp"
#include "validate/suite/suite_file.hpp"

namespace mlosim::suite {
namespace {

constexpr std::size_t kMostDiagnostics = 50;  // of one table; more say the same again

// Of one launch, or of one run of a loop: beyond these a cell is in another unit.
constexpr Seconds kShortest(1e-12), kLongest(1e6);

// What `--predictions` writes behind a table's own columns: what they held is left out, so that it can be read again.
constexpr std::array<std::string_view, 4> kPredicted{"predicted_us", "low_us", "high_us", "analytic_us"};

bool is_predicted(std::string_view column) {
  return std::find(kPredicted.begin(), kPredicted.end(), column) != kPredicted.end();
}

// The columns that every table has, and where they stand.
struct Columns {
  std::vector<std::string> names;
  std::size_t device = 0, op = 0, dtype = 0, time = 0;
  std::size_t flag = 0, power = 0, software = 0, source = 0, kind = 0, topology = 0,
              ranks = 0;  // names.size(): not there
};

// What stops a line from being read as text.
struct BadByte {
  std::size_t at = 0;  // offset in the line
  std::string what;
};

std::optional<BadByte> bad_byte(std::string_view line) {
  if (const auto at = spec::first_bad_byte(line)) return BadByte{*at, "this is not UTF-8 text"};
  if (const std::size_t at = line.find('\r'); at != std::string_view::npos)
    return BadByte{at, "a carriage return inside a line"};
  return std::nullopt;
}

constexpr const char* kTextHint = "a table is UTF-8 text whose lines end in \\n or \\r\\n";

Columns read_columns(std::string_view header, const std::string& path) {
  Columns c;
  bool torn = false;
  for (Cell& cell : cells_of(header, torn)) {
    if (std::find(c.names.begin(), c.names.end(), cell.text) != c.names.end()) {
      throw spec::InputError({{.place = {path, 1, cell.column},
                               .path = "",
                               .message = fmt::format("a second column is called '{}'", cell.text),
                               .hint = "every column has a name of its own"}});
    }
    c.names.push_back(std::move(cell.text));
  }
  const auto find = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(c.names.begin(), c.names.end(), name) - c.names.begin());
  };
  const auto require = [&](std::string_view name) {
    const std::size_t at = find(name);
    if (at == c.names.size()) {
      throw spec::InputError({{.place = {path, 1, 1},
                               .path = "",
                               .message = fmt::format("no column is called '{}'", name),
                               .hint = "a table of measurements has device, op, dtype, the operator's columns, "
                                       "time_us, flag, software, source"}});
    }
    return at;
  };
  c.device = require("device");
  c.op = require("op");
  c.dtype = require("dtype");
  c.time = require("time_us");
  c.flag = find("flag");
  c.power = find("power_w");
  c.software = find("software");
  c.source = find("source");
  c.kind = find("kind");
  c.topology = find("topology");
  c.ranks = find("ranks");
  return c;
}

// Columns that describe the operator: what is neither about the row as a whole nor another column of a table.
bool is_bookkeeping(const Columns& c, std::size_t at) {
  return at == c.device || at == c.op || at == c.time || at == c.flag || at == c.power || at == c.software ||
         at == c.source || at == c.topology;
}

class TableReader {
 public:
  TableReader(const spec::Library& library, const ProtocolBook& protocols, const std::string& path,
              const ReadOptions& options)
      : library_(library),
        protocols_(protocols),
        options_(options),
        text_(read_text(path)),
        file_(std::make_shared<const std::string>(path)) {
    table_.file = path;
  }

  Table read() {
    const std::vector<std::string_view> lines = lines_of(text_);
    if (lines.empty())
      throw spec::InputError({{.place = {*file_, 1, 1}, .path = "", .message = "the table is empty", .hint = ""}});
    if (is_text(lines.front(), 1)) columns_ = read_columns(lines.front(), *file_);
    decoding_.diagnostics.throw_if_any();
    bool torn = false;
    table_.header = own_text(lines.front(), cells_of(lines.front(), torn));
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const int line = static_cast<int>(i) + 1;
      if (!lines[i].empty() && is_text(lines[i], line)) read_row(lines[i], line);
      if (decoding_.diagnostics.list().size() >= kMostDiagnostics) break;
    }
    decoding_.diagnostics.throw_if_any();
    return std::move(table_);
  }

 private:
  void fail(int line, int column, std::string message, std::string hint = "") {
    decoding_.diagnostics.add(
        {.place = {*file_, line, column}, .path = "", .message = std::move(message), .hint = std::move(hint)});
  }

  bool is_text(std::string_view text, int line) {
    const std::optional<BadByte> bad = bad_byte(text);
    if (bad) fail(line, static_cast<int>(bad->at) + 1, bad->what, kTextHint);
    return !bad;
  }

  // A line as it stands, less the columns of earlier predictions.
  std::string own_text(std::string_view text, const std::vector<Cell>& cells) const {
    if (std::none_of(columns_.names.begin(), columns_.names.end(), is_predicted)) return std::string(text);
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!is_predicted(columns_.names[i])) kept.push_back(csv_cell(cells[i].text));
    }
    return fmt::format("{}", fmt::join(kept, ","));
  }

  void skip(int line, std::string reason) {
    table_.skipped.push_back({fmt::format("{}:{}", *file_, line), std::move(reason)});
  }

  std::string_view text_at(const std::vector<Cell>& cells, std::size_t column) const {
    return column < cells.size() ? std::string_view(cells[column].text) : std::string_view();
  }

  spec::Value value_of(const Cell& cell, int line) const {
    spec::Value value;
    value.kind = spec::Value::Kind::scalar;
    value.text = cell.text;
    value.file = file_;
    value.line = line;
    value.column = cell.column;
    return value;
  }

  // The chip of a device; null where there is none of its name.
  const std::string* chip_of(const std::string& device) {
    const auto [entry, is_new] = chips_.try_emplace(device);
    if (is_new) {
      const std::string chip = chip_of_device(device);
      if (library_.find(spec::Shelf::chips, chip)) entry->second = chip;
    }
    return entry->second.empty() ? nullptr : &entry->second;
  }

  // "<boards>:<n>_dev_per_node" with more than n ranks.
  static bool spans_nodes(std::string_view topology, std::string_view ranks) {
    constexpr std::string_view kPerNode = "_dev_per_node";
    if (!topology.ends_with(kPerNode)) return false;
    topology.remove_suffix(kPerNode.size());
    int devices = 0, wanted = 0;
    const std::string_view count = topology.substr(topology.rfind(':') + 1);
    std::from_chars(count.data(), count.data() + count.size(), devices);
    std::from_chars(ranks.data(), ranks.data() + ranks.size(), wanted);
    return devices < wanted;
  }

  // The system that a collective ran on: as the protocol says, by its own name, or "<chip>_node" for the first system
  // of that chip; empty where none is known.
  std::string system_of(std::string_view topology, const Protocol& protocol) {
    if (const auto named = protocol.systems.find(std::string(topology)); named != protocol.systems.end())
      return named->second;
    if (library_.find(spec::Shelf::systems, topology)) return std::string(topology);
    constexpr std::string_view kNode = "_node";
    if (!topology.ends_with(kNode)) return "";
    topology.remove_suffix(kNode.size());
    if (systems_of_chips_.empty()) {
      for (const std::string& name : library_.names(spec::Shelf::systems)) {
        const spec::Value document = spec::read_document(library_.require(spec::Shelf::systems, name));
        if (const spec::Value* chip = document.find("chip")) systems_of_chips_.try_emplace(chip->text, name);
      }
    }
    const auto known = systems_of_chips_.find(chip_of_device(topology));
    return known == systems_of_chips_.end() ? "" : known->second;
  }

  void read_row(std::string_view text, int line) {
    bool torn = false;
    const std::vector<Cell> cells = cells_of(text, torn);
    if (torn || cells.size() != columns_.names.size()) {
      fail(line, 1,
           fmt::format("{} cells under {} columns{}", cells.size(), columns_.names.size(),
                       torn ? ", and a quote that is not closed" : ""),
           "a row that a stopped run left torn has to be deleted");
      return;
    }
    if (!text_at(cells, columns_.flag).empty() && !options_.flagged)
      return skip(line, fmt::format("flagged '{}'", cells[columns_.flag].text));
    Measurement m;
    m.line = line;
    m.op = text_at(cells, columns_.op);
    m.dtype = text_at(cells, columns_.dtype);
    m.software = text_at(cells, columns_.software);
    m.source = text_at(cells, columns_.source);
    if (!read_time(cells, line, m) || !read_power(cells, line, m)) return;
    const std::string* chip = chip_of(cells[columns_.device].text);
    if (!chip) return skip(line, fmt::format("no chip is called '{}'", cells[columns_.device].text));
    m.device = *chip;
    m.protocol = protocols_.find({.source = m.source,
                                  .software = m.software,
                                  .op = m.op,
                                  .kind = text_at(cells, columns_.kind),
                                  .device = m.device,
                                  .dtype = m.dtype,
                                  .has_power = m.power.has_value()});
    if (!m.protocol) {
      return skip(line,
                  fmt::format("no measurement protocol covers source '{}' with software '{}'", m.source, m.software));
    }
    if (m.protocol->unusable) return skip(line, *m.protocol->unusable);
    m.system = m.device;
    if (m.op == "collective") {
      m.system = system_of(text_at(cells, columns_.topology), *m.protocol);
      if (m.system.empty())
        return skip(line, fmt::format("no system is called '{}'", text_at(cells, columns_.topology)));
      if (spans_nodes(text_at(cells, columns_.topology), text_at(cells, columns_.ranks)))
        return skip(line, "ran across nodes, over a network that the table does not describe");
    }
    decode(cells, line, std::move(m), text);
  }

  // Empty, with the mistake reported, where the cell holds no positive number.
  std::optional<double> positive(const Cell& cell, int line, std::string_view column) {
    const std::string& text = cell.text;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && std::isfinite(number) && number > 0) return number;
    fail(line, cell.column, fmt::format("{} is '{}'", column, text), "a positive number is due");
    return std::nullopt;
  }

  bool read_time(const std::vector<Cell>& cells, int line, Measurement& m) {
    const Cell& cell = cells[columns_.time];
    const std::optional<double> us = positive(cell, line, "time_us");
    if (!us) return false;
    m.measured = Seconds(*us * 1e-6);
    if (m.measured < kShortest || m.measured > kLongest) {
      fail(line, cell.column, fmt::format("time_us is '{}'", cell.text), "microseconds are due, from 1e-6 to 1e12");
      return false;
    }
    return true;
  }

  bool read_power(const std::vector<Cell>& cells, int line, Measurement& m) {
    if (text_at(cells, columns_.power).empty()) return true;
    const std::optional<double> watts = positive(cells[columns_.power], line, "power_w");
    if (watts) m.power = Watts(*watts);
    return watts.has_value();
  }

  void decode(const std::vector<Cell>& cells, int line, Measurement m, std::string_view text) {
    RowCells op_cells;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!is_bookkeeping(columns_, i) && !cells[i].text.empty())
        op_cells.emplace_back(columns_.names[i], value_of(cells[i], line));
    }
    OpEntry made = make_op_entry(m.op, op_cells, *m.protocol, value_of(cells[columns_.op], line));
    if (made.not_modelled) return skip(line, *made.not_modelled);
    spec::Decoding decoding;
    m.work = predict::decode_op(spec::Node(&made.entry, m.op, &decoding), 1);
    const std::vector<spec::Diagnostic>& wrong = decoding.diagnostics.list();
    if (!wrong.empty()) {
      // A word that the operators' decoder does not know is a name of something else; the rest are mistakes.
      if (wrong.front().path.ends_with(".op") || wrong.front().path.ends_with(".kind"))
        return skip(line, fmt::format("operator '{}' is not modelled", op_name(cells)));
      for (const spec::Diagnostic& d : wrong) decoding_.diagnostics.add(d);
      return;
    }
    table_.rows.push_back(std::move(m));
    table_.texts.push_back(own_text(text, cells));
  }

  std::string op_name(const std::vector<Cell>& cells) const {
    const std::string_view kind = text_at(cells, columns_.kind);
    return kind.empty() ? cells[columns_.op].text : fmt::format("{} {}", cells[columns_.op].text, kind);
  }

  const spec::Library& library_;
  const ProtocolBook& protocols_;
  const ReadOptions& options_;
  const std::string text_;
  std::shared_ptr<const std::string> file_;
  Columns columns_;
  std::map<std::string, std::string> chips_;
  std::map<std::string, std::string> systems_of_chips_;
  spec::Decoding decoding_;
  Table table_;
};

}  // namespace

Table read_table(const spec::Library& library, const ProtocolBook& protocols, const std::string& path,
                 const ReadOptions& options) {
  return TableReader(library, protocols, path, options).read();
}

std::vector<Table> read_tables(const spec::Library& library, const ProtocolBook& protocols,
                               const std::vector<std::string>& paths, const ReadOptions& options) {
  std::vector<Table> tables(paths.size());
  tbb::parallel_for(std::size_t(0), paths.size(),
                    [&](std::size_t i) { tables[i] = read_table(library, protocols, paths[i], options); });
  return tables;
}

}  // namespace mlosim::suite
