#include "validate/compare/residual_report.hpp"

#include <fmt/format.h>

#include "models/predict/residuals.hpp"
#include "validate/compare/interval_check.hpp"
#include "validate/compare/residuals.hpp"

namespace mlosim::compare {

ResidualReport report_residuals(const spec::Library& library, const std::vector<std::string>& suites) {
  const suite::ProtocolBook protocols(library);
  std::vector<suite::Table> tables;
  for (const std::string& suite : suites) {
    const std::string path = library.require(spec::Shelf::suites, suite);
    if (path.ends_with(".csv")) tables.push_back(suite::read_table(library, protocols, path, {}));
  }
  const Machines machines(library, tables);
  const ResidualRows rows = collect_residuals(tables, machines);
  if (rows.own.empty()) {
    throw spec::InputError("no row of these suites can be predicted",
                           "name tables of kernel times; 'mlosim validate' lists the reasons");
  }
  predict::ResidualTable table = measure_residuals(rows);
  const predict::Residuals present = predict::read_residuals(library);
  table.host = present.table().host;
  table.network = present.table().network;
  table.source = fmt::format("mlosim validate, {} rows of {} tables, of shapes that nothing is fitted to",
                             rows.own.size(), tables.size());
  return {.file = predict::render_residuals(table), .checks = render_checks(check_intervals(rows))};
}

}  // namespace mlosim::compare
