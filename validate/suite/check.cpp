#include "validate/suite/check.hpp"

#include <fmt/format.h>

#include "sim/spec/document.hpp"
#include "validate/suite/measurement.hpp"
#include "validate/suite/published.hpp"

namespace mlosim::suite {
namespace {

std::optional<std::string> file_of(const spec::Library& library, const std::string& name) {
  if (spec::is_path(name)) return name;
  for (const spec::Shelf shelf : {spec::Shelf::suites, spec::Shelf::protocols}) {
    if (const auto file = library.find(shelf, name)) return file;
  }
  return std::nullopt;
}

std::string check_table(const spec::Library& library, const std::string& file) {
  const ProtocolBook protocols(library);
  const Table table = read_table(library, protocols, file, {});
  return fmt::format("table of measurements, {} rows to score and {} skipped", table.rows.size(), table.skipped.size());
}

}  // namespace

std::optional<std::string> check(const spec::Library& library, const std::string& name_or_path) {
  const std::optional<std::string> file = file_of(library, name_or_path);
  if (!file || *file == "-") return std::nullopt;
  if (file->ends_with(".csv")) return check_table(library, *file);
  const spec::Value document = spec::read_document(*file);
  const spec::Value* schema = document.find("schema");
  if (!schema) return std::nullopt;
  if (schema->text == "mlosim/suite/1") {
    return fmt::format("suite, {} rows", decode_suite(document).rows.size());
  }
  if (schema->text == "mlosim/protocol/1") {
    read_protocols(*file);
    return "measurement protocol";
  }
  return std::nullopt;
}

}  // namespace mlosim::suite
