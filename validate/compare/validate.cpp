#include "validate/compare/validate.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "models/predict/interval.hpp"
#include "models/predict/residuals.hpp"
#include "validate/compare/predict_row.hpp"
#include "validate/compare/published.hpp"
#include "validate/compare/score_row.hpp"
#include "validate/suite/suite_file.hpp"

namespace mlosim::compare {
namespace {

// A row's prediction, or why there is none.
struct Outcome {
  std::optional<ScoredRow> scored, power;
  std::string reason;
};

Outcome predict_measurement(const suite::Table& table, const suite::Measurement& row, const Machines& machines,
                            const predict::Residuals& residuals, const ValidateOptions& options) {
  const spec::Hardware& hardware = machines.of(row);
  try {
    ScoredRow s = score_row(row, hardware, options.fineness);
    if (options.beside_analytic) s.analytic = predict_row(row, hardware).time.si();
    s.label = fmt::format("{}:{}", table.file, row.line);
    if (options.fineness.fidelity != chip::Fidelity::roofline) {  // what residuals were measured of
      const predict::Interval interval = predict::kernel_interval(
          residuals, predict::residual_key(row.work, hardware, Seconds(s.predicted)), Seconds(s.datasheet->roofline));
      s.interval = Range{interval.low.si(), interval.high.si()};
    }
    std::optional<ScoredRow> power = score_power(row, hardware, options.fineness);
    if (power) power->label = s.label;
    return {.scored = std::move(s), .power = std::move(power), .reason = {}};
  } catch (const spec::InputError& error) {
    return {.scored = std::nullopt, .power = std::nullopt, .reason = error.what()};
  }
}

class Run {
 public:
  Run(const spec::Library& library, const ValidateOptions& options) : library_(library), options_(options) {
    v_.group_by = options.group_by;
  }

  Validation run(const std::vector<std::string>& suites) {
    std::vector<std::string> tables, figures;
    for (const std::string& suite : suites) {
      const std::string path = library_.require(spec::Shelf::suites, suite);
      (suite::is_table(path) ? tables : figures).push_back(path);
    }
    v_.tables = suite::read_tables(library_, protocols_, tables, {.flagged = options_.flagged});
    score_tables();
    for (const std::string& path : figures) compare_figures(path);
    score_groups();
    return std::move(v_);
  }

 private:
  void score_tables() {
    const Machines machines(library_, v_.tables);
    for (const std::string& warning : machines.warnings()) warn(warning);
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t t = 0; t < v_.tables.size(); ++t) {
      for (std::size_t r = 0; r < v_.tables[t].rows.size(); ++r) {
        if (is_needed(suite::is_in_fit_half(v_.tables[t].rows[r].work))) places.emplace_back(t, r);
      }
    }
    std::vector<Outcome> outcomes(places.size());
    RowCount count(options_.progress, places.size());
    tbb::parallel_for(std::size_t(0), places.size(), [&](std::size_t i) {
      const auto& [t, r] = places[i];
      outcomes[i] = predict_measurement(v_.tables[t], v_.tables[t].rows[r], machines, residuals_, options_);
      count.add();
    });
    for (const suite::Table& table : v_.tables)
      v_.skipped.insert(v_.skipped.end(), table.skipped.begin(), table.skipped.end());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto& [t, r] = places[i];
      keep(std::move(outcomes[i]), t, r);
    }
  }

  void keep(Outcome outcome, std::size_t t, std::size_t r) {
    const suite::Measurement& row = v_.tables[t].rows[r];
    const bool chosen = is_chosen(suite::is_in_fit_half(row.work));
    if (outcome.scored) {
      outcome.scored->table = t;
      outcome.scored->row = r;
      (chosen ? v_.rows : held_out_).push_back(std::move(*outcome.scored));
      if (outcome.power && chosen) v_.rows.push_back(std::move(*outcome.power));
    } else if (chosen) {
      v_.skipped.push_back({fmt::format("{}:{}", v_.tables[t].file, row.line), outcome.reason});
    }
  }

  bool is_chosen(bool fit_half) const { return options_.half == Half::all || (options_.half == Half::fit) == fit_half; }

  // Rows of the other half are needed where the baseline's constants are fitted on them.
  bool is_needed(bool fit_half) const { return options_.half == Half::score || is_chosen(fit_half); }

  void compare_figures(const std::string& path) {
    const suite::PublishedSuite suite = suite::read_suite(path);
    const PublishedComparison comparison = compare_suite(library_, suite, residuals_, options_.fineness);
    const PublishedComparison analytic =
        options_.beside_analytic ? compare_suite(library_, suite, residuals_) : PublishedComparison();
    for (const PublishedFigure& figure : comparison.figures) {
      ScoredRow s{.device = figure.device, .op = figure.op, .dtype = figure.dtype};
      s.in_table = false;
      s.label = fmt::format("{}: {}", path, figure.id);
      s.measure = figure.measure;
      s.measured = cost_of(figure.measure, figure.measured);
      s.predicted = cost_of(figure.measure, figure.predicted);
      const auto same =
          std::find_if(analytic.figures.begin(), analytic.figures.end(),
                       [&](const PublishedFigure& other) { return other.id == figure.id && other.op == figure.op; });
      if (same != analytic.figures.end()) s.analytic = cost_of(figure.measure, same->predicted);
      if (figure.interval) s.interval = cost_of(figure.measure, *figure.interval);
      v_.rows.push_back(std::move(s));
    }
    for (const suite::Skipped& skipped : comparison.skipped)
      v_.skipped.push_back({fmt::format("{}: {}", path, skipped.row), skipped.reason});
    for (const RowWarning& warning : comparison.warnings) warn(warning.text, fmt::format("{}: {}: ", path, warning.id));
  }

  // Of the first row that it is said of.
  void warn(const std::string& text, const std::string& of = "") {
    if (said_.insert(text).second) v_.warnings.push_back(of + text);
  }

  std::vector<std::string> key_of(const ScoredRow& row) const {
    std::vector<std::string> key;
    for (const GroupKey part : options_.group_by) {
      switch (part) {
        case GroupKey::device:
          key.push_back(row.device);
          break;
        case GroupKey::op:
          key.push_back(row.op);
          break;
        case GroupKey::dtype:
          key.push_back(row.dtype);
          break;
        case GroupKey::software:
          key.push_back(row.software);
          break;
      }
    }
    return key;
  }

  void score_groups() {
    std::map<std::vector<std::string>, std::vector<const ScoredRow*>> by_key;
    std::vector<const ScoredRow*> all, held_out;
    for (const ScoredRow& row : v_.rows) {
      by_key[key_of(row)].push_back(&row);
      if (row.measure != Measure::power) all.push_back(&row);
    }
    for (const ScoredRow& row : held_out_) held_out.push_back(&row);
    const ThreeConstantsByCell baseline(all, held_out);
    const auto compared = [&](const std::vector<const ScoredRow*>& rows) {
      return options_.beside_analytic ? std::optional(disagreement_of(rows)) : std::nullopt;
    };
    for (const auto& [key, rows] : by_key) v_.groups.push_back({key, score(rows, baseline), compared(rows)});
    v_.overall = score(all, baseline);
    v_.disagreement = compared(all);
    v_.apart = most_apart(v_.rows, options_.worst);
    find_worst();
  }

  // Symmetric in the logarithm: half as long and twice as long are equally wrong. Ties in the suites' order.
  void find_worst() {
    std::vector<double> error;
    for (const ScoredRow& row : v_.rows) error.push_back(std::abs(std::log(row.predicted / row.measured)));
    v_.worst.resize(v_.rows.size());
    std::iota(v_.worst.begin(), v_.worst.end(), std::size_t(0));
    const std::size_t kept = std::min(options_.worst, v_.worst.size());
    std::partial_sort(v_.worst.begin(), v_.worst.begin() + static_cast<std::ptrdiff_t>(kept), v_.worst.end(),
                      [&](std::size_t a, std::size_t b) { return error[a] != error[b] ? error[a] > error[b] : a < b; });
    v_.worst.resize(kept);
  }

  const spec::Library& library_;
  const ValidateOptions& options_;
  suite::ProtocolBook protocols_{library_};
  predict::Residuals residuals_ = predict::read_residuals(library_);
  std::vector<ScoredRow> held_out_;  // for the baseline alone
  std::set<std::string> said_;       // warnings
  Validation v_;
};

}  // namespace

Validation validate(const spec::Library& library, const std::vector<std::string>& suites,
                    const ValidateOptions& options) {
  return Run(library, options).run(suites);
}

}  // namespace mlosim::compare
