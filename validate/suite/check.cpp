#include "validate/suite/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "models/predict/setting.hpp"
#include "models/predict/workload.hpp"
#include "sim/spec/document.hpp"
#include "validate/suite/measurement.hpp"
#include "validate/suite/published.hpp"
#include "validate/suite/suite_file.hpp"

namespace mlosim::suite {
namespace {

using predict::Checked;

std::optional<std::string> file_of(const spec::Library& library, const std::string& name) {
  if (spec::is_path(name)) return name;
  for (const spec::Shelf shelf : {spec::Shelf::suites, spec::Shelf::protocols}) {
    if (const auto file = library.find(shelf, name)) return file;
  }
  return std::nullopt;
}

std::string describe(const char* what, std::size_t scored, std::size_t skipped) {
  return fmt::format("{}, {} rows to score and {} skipped", what, scored, skipped);
}

Checked check_table(const spec::Library& library, const std::string& file) {
  const ProtocolBook protocols(library);
  const Table table = read_table(library, protocols, file, {});
  return {.what = describe("table of measurements", table.rows.size(), table.skipped.size()), .warnings = {}};
}

// What mlosim cannot predict yet is no mistake of the suite's.
bool is_mistake(const spec::Diagnostic& diagnostic) {
  constexpr std::string_view kWords = "not modelled in this version";
  return diagnostic.message.find(kWords) == std::string::npos && diagnostic.hint.find(kWords) == std::string::npos;
}

Checked check_suite(const spec::Library& library, const spec::Value& document) {
  const PublishedSuite suite = decode_suite(document);
  spec::Diagnostics mistakes;
  Checked checked;
  std::size_t skipped = 0;
  for (std::size_t i = 0; i < suite.rows.size(); ++i) {
    const PublishedRow& row = suite.rows[i];
    std::vector<std::string> warnings;
    try {
      const predict::Workload workload = predict::decode_workload(library, row.workload, row.id, {}, warnings);
      predict::read_setting(library, workload, warnings);
    } catch (const spec::InputError& error) {
      const std::vector<spec::Diagnostic>& wrong = error.diagnostics();
      if (std::none_of(wrong.begin(), wrong.end(), is_mistake)) ++skipped;
      for (spec::Diagnostic d : wrong) {
        if (!is_mistake(d)) continue;
        if (d.place.file.empty()) d.place = row.place;
        d.path = fmt::format("rows.{}.workload{}{}", i, d.path.empty() ? "" : ".", d.path);
        mistakes.add(std::move(d));
      }
    }
    for (std::string& warning : warnings) {
      if (std::find(checked.warnings.begin(), checked.warnings.end(), warning) == checked.warnings.end())
        checked.warnings.push_back(std::move(warning));
    }
  }
  mistakes.throw_if_any();
  checked.what = describe("suite", suite.rows.size() - skipped, skipped);
  return checked;
}

}  // namespace

std::optional<Checked> check(const spec::Library& library, const std::string& name_or_path) {
  const std::optional<std::string> file = file_of(library, name_or_path);
  if (!file || *file == "-") return std::nullopt;
  if (is_table(*file)) return check_table(library, *file);
  const spec::Value document = spec::read_document(*file);
  const spec::Value* schema = document.find("schema");
  if (!schema) return std::nullopt;
  if (schema->text == "mlosim/suite/1") return check_suite(library, document);
  if (schema->text == "mlosim/protocol/1") {
    read_protocols(library, *file);
    return Checked{.what = "measurement protocol", .warnings = {}};
  }
  return std::nullopt;
}

}  // namespace mlosim::suite
