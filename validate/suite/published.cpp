#include "validate/suite/published.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/spec/node.hpp"
#include "validate/suite/csv.hpp"
#include "validate/suite/suite_file.hpp"

namespace mlosim::suite {
namespace {

using spec::Node;
using spec::Value;

std::map<std::string, double> decode_measured(Node node) {
  std::map<std::string, double> measured;
  for (const std::string_view field : kMeasuredFields) {
    if (node.has(field)) measured[std::string(field)] = node.require_number(field);
  }
  node.finish();
  if (node.is_mapping() && node.value()->members.empty())
    node.fail("nothing was measured", fmt::format("one or more of: {}", fmt::join(kMeasuredFields, ", ")));
  return measured;
}

// An inline workload has the fields of a workload file; the schema goes without saying.
Value complete_workload(Value workload) {
  if (workload.is_mapping() && !workload.find("schema")) {
    Value schema = spec::make_scalar("mlosim/workload/1", workload.place().file);
    workload.members.insert(workload.members.begin(), {"schema", workload.place(), std::move(schema)});
  }
  return workload;
}

std::string require_words(Node& node, std::string_view key) {
  std::string text = node.require_text(key);
  if (text.empty() && node.has(key)) node.fail_at(key, "this is empty");
  return text;
}

// A table under another name than *.csv, or on standard input.
bool has_table_header(std::string_view text) {
  bool torn = false;
  const std::vector<Cell> cells = cells_of(text.substr(0, text.find_first_of("\r\n")), torn);
  return std::any_of(cells.begin(), cells.end(), [](const Cell& cell) { return cell.text == "time_us"; });
}

PublishedRow decode_row(Node node) {
  PublishedRow row;
  row.id = require_words(node, "id");
  const Node workload = node.require_mapping("workload");
  if (workload.is_mapping()) row.workload = complete_workload(*workload.value());
  row.measured = decode_measured(node.require_mapping("measured"));
  row.unknown = node.text_or("unknown", "");
  row.source = require_words(node, "source");
  row.place = node.value()->place();
  node.finish();
  return row;
}

}  // namespace

PublishedSuite decode_suite(const Value& document) {
  spec::Decoding decoding;
  Node node(&document, "", &decoding);
  PublishedSuite suite;
  node.expect_schema("mlosim/suite/1");
  suite.name = require_words(node, "name");
  suite.description = node.text_or("description", "");
  Node rows = node.child("rows");
  if (!rows.is_present()) node.fail("key 'rows' is missing", "rows: [{id: …, workload: …, measured: …, source: …}]");
  std::map<std::string, int> lines;  // of the ids
  for (const Node& item : rows.items()) {
    PublishedRow row = decode_row(item);
    const auto [first, is_new] = lines.emplace(row.id, row.place.line);
    if (!is_new && !row.id.empty())
      item.fail_at("id", fmt::format("the id '{}' appears twice", row.id),
                   fmt::format("it was given in line {}", first->second));
    suite.rows.push_back(std::move(row));
  }
  node.finish();
  decoding.diagnostics.throw_if_any();
  return suite;
}

PublishedSuite read_suite(const std::string& path) {
  const std::string text = read_text(path);
  const std::string name = path == "-" ? "<stdin>" : path;
  if (has_table_header(text)) {
    throw spec::InputError({{.place = {name, 1, 1},
                             .path = "",
                             .message = "this is a table of measurements",
                             .hint = "a table is read from a file whose name ends in .csv"}});
  }
  return decode_suite(spec::parse_document(text, name));
}

}  // namespace mlosim::suite
