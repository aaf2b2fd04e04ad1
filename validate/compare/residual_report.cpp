#include "validate/compare/residual_report.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "models/predict/residuals.hpp"
#include "validate/compare/residuals.hpp"
#include "validate/suite/suite_file.hpp"

namespace mlosim::compare {
namespace {

struct Collected {
  ResidualRows rows;
  std::size_t tables = 0;
};

Collected collect(const spec::Library& library, const std::vector<std::string>& suites,
                  const ResidualOptions& options) {
  const suite::ProtocolBook protocols(library);
  std::vector<std::string> paths;
  for (const std::string& suite : suites) {
    const std::string path = library.require(spec::Shelf::suites, suite);
    if (suite::is_table(path)) paths.push_back(path);
  }
  std::vector<suite::Table> tables = suite::read_tables(library, protocols, paths, {});
  const Machines machines(library, tables);
  Collected collected{.rows = collect_residuals(tables, machines, options.fineness, options.progress),
                      .tables = tables.size()};
  if (collected.rows.own.empty()) {
    throw spec::InputError("no row of these suites can be predicted",
                           "name tables of kernel times; 'mlosim validate' lists the reasons");
  }
  return collected;
}

}  // namespace

ResidualReport report_residuals(const spec::Library& library, const std::vector<std::string>& suites,
                                const ResidualOptions& options) {
  const auto [rows, tables] = collect(library, suites, options);
  predict::ResidualTable table = measure_residuals(rows);
  const predict::Residuals present = predict::read_residuals(library);
  table.host = present.table().host;
  table.network = present.table().network;
  table.fidelity = options.fineness.fidelity;
  table.source = fmt::format("mlosim validate, {} rows of {} tables, of shapes that nothing is fitted to",
                             rows.own.size(), tables);
  return {.file = predict::render_residuals(table), .checks = render_checks(check_intervals(rows))};
}

Coverage out_of_fold_coverage(const spec::Library& library, const std::vector<std::string>& suites,
                              const ResidualOptions& options) {
  return check_folds(collect(library, suites, options).rows).all;
}

}  // namespace mlosim::compare
