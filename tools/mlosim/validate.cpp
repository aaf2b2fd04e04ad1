// mlosim validate SUITE…: predictions against measurements.

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/spec/spelling.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/progress_line.hpp"
#include "tools/mlosim/word_option.hpp"
#include "tools/mlosim/workload_options.hpp"
#include "validate/compare/render.hpp"
#include "validate/compare/residual_report.hpp"
#include "validate/compare/validate.hpp"
#include "validate/suite/suite_file.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json };
enum class Fidelity { roofline, analytic, event, both };

struct Options {
  std::vector<std::string> suites;
  compare::ValidateOptions validate;
  Fidelity fidelity = Fidelity::event;
  std::optional<std::int64_t> max_events;
  Format format = Format::text;
  std::string group_by = "device,op,dtype";
  std::optional<std::string> predictions;
  std::optional<double> max_mape;
  std::optional<std::string> residuals;
};

compare::GroupKey group_key(const std::string& word) {
  using compare::GroupKey;
  std::vector<std::string> known;
  for (const GroupKey key : {GroupKey::device, GroupKey::op, GroupKey::dtype, GroupKey::software}) {
    known.emplace_back(compare::name_of(key));
    if (word == known.back()) return key;
  }
  throw spec::InputError("rows cannot be grouped by '" + word + "'", spec::spelling_hint(word, known));
}

std::vector<compare::GroupKey> read_group_by(const std::string& text) {
  std::vector<compare::GroupKey> keys;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string word = text.substr(start, end - start);
    const compare::GroupKey key = group_key(word);
    if (std::find(keys.begin(), keys.end(), key) != keys.end())
      throw spec::InputError("rows are grouped by '" + word + "' twice", "name it once");
    keys.push_back(key);
    start = end + 1;
  }
  return keys;
}

// A mean absolute error; CLI::NonNegativeNumber takes nan for one.
std::string refuse_mape(const std::string& text) {
  double bound = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bound);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && std::isfinite(bound) && bound >= 0) return "";
  return "'" + text + "' is no error: a fraction is due, such as 0.1 for 10 %";
}

std::vector<std::string> paths_of(const std::vector<std::string>& suites, const spec::Library& library) {
  std::vector<std::string> paths;
  for (const std::string& suite : suites) paths.push_back(library.require(spec::Shelf::suites, suite));
  return paths;
}

chip::Fidelity fidelity_of(Fidelity word) {
  switch (word) {
    case Fidelity::roofline:
      return chip::Fidelity::roofline;
    case Fidelity::analytic:
      return chip::Fidelity::analytic;
    case Fidelity::event:
    case Fidelity::both:
      return chip::Fidelity::event;
  }
  return chip::Fidelity::event;
}

compare::Fineness fineness_of(const Options& options) {
  const chip::Fidelity fidelity = fidelity_of(options.fidelity);
  return {.fidelity = fidelity, .max_events = max_events_of(options.max_events, fidelity == chip::Fidelity::event)};
}

int run_residuals(const Options& options, const spec::Library& library) {
  if (options.fidelity == Fidelity::roofline || options.fidelity == Fidelity::both)
    throw spec::InputError("--residuals measures the predictions of one fidelity", "take event or analytic");
  const std::vector<std::string> paths = paths_of(options.suites, library);
  check_destination(*options.residuals, paths);
  for (const std::string& path : paths) {
    if (!suite::is_table(path))
      std::cerr << "warning: " << path << ": left aside; it holds no rows of single kernels\n";
  }
  ProgressLine progress("rows");
  const compare::ResidualReport report = compare::report_residuals(
      library, options.suites, {.fineness = fineness_of(options), .progress = progress.listener()});
  progress.clear();
  write_file(*options.residuals, report.file);
  std::cout << report.checks;
  return kDone;
}

int run_validate(Options options, const spec::Library& library) {
  if (options.residuals) return run_residuals(options, library);
  options.validate.group_by = read_group_by(options.group_by);
  if (options.predictions) check_destination(*options.predictions, paths_of(options.suites, library));
  ProgressLine progress("rows");
  options.validate.fineness = fineness_of(options);
  options.validate.beside_analytic = options.fidelity == Fidelity::both;
  options.validate.progress = progress.listener();
  const compare::Validation validation = compare::validate(library, options.suites, options.validate);
  progress.clear();
  std::vector<std::string> warnings = validation.warnings;
  if (options.predictions) write_file(*options.predictions, compare::render_predictions(validation, warnings));
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << '\n';
  std::cout << (options.format == Format::json ? compare::render_json(validation) : compare::render_text(validation));
  if (validation.rows.empty()) {
    std::cerr << "no row of these suites can be scored"
              << (validation.skipped.empty() ? ": there is none" : ": the reasons are listed under 'skipped'") << '\n';
    return kAnswerIsNo;
  }
  // Also where the error is no number.
  if (options.max_mape && !(validation.overall.mape <= *options.max_mape)) {
    std::cerr << "the mean absolute error, " << validation.overall.mape << ", is above " << *options.max_mape << '\n';
    return kAnswerIsNo;
  }
  return kDone;
}

}  // namespace

Run add_validate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("validate", "Score predictions against measurements, by device, operator, dtype");
  command
      ->add_option("suite", options->suites, "CSV tables of kernel times, YAML suites of published figures, or names")
      ->required();
  CLI::Option* residuals =
      command->add_option("--residuals", options->residuals,
                          "only write what intervals are made of, the errors on the half not fitted, to this file "
                          "(hw_specs/residuals.yaml), and say how well they hold");
  command->add_option("--group-by", options->group_by, "of device, op, dtype, software")
      ->capture_default_str()
      ->excludes(residuals);
  add_word_option<compare::Half>(
      *command, "--half", options->validate.half,
      {{"all", compare::Half::all}, {"fit", compare::Half::fit}, {"score", compare::Half::score}},
      "which shapes of tables to score: all, the half that calibration fits, or the other half, whose errors the "
      "intervals are made of")
      ->default_str("all")
      ->excludes(residuals);
  add_word_option<Fidelity>(*command, "--fidelity", options->fidelity,
                            {{"roofline", Fidelity::roofline},
                             {"analytic", Fidelity::analytic},
                             {"event", Fidelity::event},
                             {"both", Fidelity::both}},
                            "roofline (a lower bound), analytic (closed forms), event (kernels played tile by tile), "
                            "or both of the last two and how far they are apart")
      ->default_str("event");
  add_max_events(*command, options->max_events);
  command->add_flag("--flagged", options->validate.flagged, "take rows that their table flags, too")
      ->excludes(residuals);
  command->add_option("--worst", options->validate.worst, "how many of the worst rows to list")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000))
      ->excludes(residuals);
  command->add_option("--predictions", options->predictions, "write every row with its prediction to this CSV file")
      ->excludes(residuals);
  command->add_option("--max-mape", options->max_mape, "exit with 1 where the overall mean absolute error is above it")
      ->check(refuse_mape)
      ->excludes(residuals);
  add_word_option<Format>(*command, "--format", options->format, {{"text", Format::text}, {"json", Format::json}},
                          "text or json")
      ->default_str("text")
      ->excludes(residuals);
  return [options](const spec::Library& library) { return run_validate(*options, library); };
}

}  // namespace mlosim::cli
