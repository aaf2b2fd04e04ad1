// mlosim validate SUITE…: predictions against measurements.

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/spec/spelling.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/word_option.hpp"
#include "validate/compare/render.hpp"
#include "validate/compare/residual_report.hpp"
#include "validate/compare/validate.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json };

struct Options {
  std::vector<std::string> suites;
  compare::ValidateOptions validate;
  Format format = Format::text;
  std::string group_by = "device,op,dtype";
  std::optional<std::string> predictions;
  std::optional<double> max_mape;
  std::optional<std::string> residuals;
};

std::vector<compare::GroupKey> read_group_by(const std::string& text) {
  using compare::GroupKey;
  std::vector<GroupKey> keys;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string word = text.substr(start, end - start);
    std::vector<std::string> known;
    bool found = false;
    for (const GroupKey key : {GroupKey::device, GroupKey::op, GroupKey::dtype, GroupKey::software}) {
      known.emplace_back(compare::name_of(key));
      if (word == known.back()) {
        keys.push_back(key);
        found = true;
      }
    }
    if (!found) throw spec::InputError("rows cannot be grouped by '" + word + "'", spec::spelling_hint(word, known));
    start = end + 1;
  }
  return keys;
}

int run_validate(Options options, const spec::Library& library) {
  if (options.residuals) {
    const compare::ResidualReport report = compare::report_residuals(library, options.suites);
    write_file(*options.residuals, report.file);
    std::cout << report.checks;
    return kDone;
  }
  options.validate.group_by = read_group_by(options.group_by);
  const compare::Validation validation = compare::validate(library, options.suites, options.validate);
  if (options.predictions) write_file(*options.predictions, compare::render_predictions(validation));
  std::cout << (options.format == Format::json ? compare::render_json(validation) : compare::render_text(validation));
  if (validation.rows.empty()) {
    std::cerr << "no row of these suites can be scored: the reasons are listed under 'skipped'\n";
    return kAnswerIsNo;
  }
  if (options.max_mape && validation.overall.mape > *options.max_mape) {
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
  command->add_option("--group-by", options->group_by, "of device, op, dtype, software")->capture_default_str();
  add_word_option<compare::Half>(
      *command, "--half", options->validate.half,
      {{"all", compare::Half::all}, {"fit", compare::Half::fit}, {"score", compare::Half::score}},
      "which shapes to score: all, the half that calibration fits, or the other half")
      ->default_str("all");
  add_word_option<chip::Fidelity>(*command, "--fidelity", options->validate.fidelity,
                                  {{"roofline", chip::Fidelity::roofline}, {"analytic", chip::Fidelity::analytic}},
                                  "roofline (a lower bound) or analytic")
      ->default_str("analytic");
  command->add_flag("--flagged", options->validate.flagged, "take rows that their table flags, too");
  command->add_option("--worst", options->validate.worst, "how many of the worst rows to list")->capture_default_str();
  command->add_option("--predictions", options->predictions, "write every row with its prediction to this CSV file");
  command->add_option("--max-mape", options->max_mape, "exit with 1 where the overall mean absolute error is above it")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--residuals", options->residuals,
                      "only write what intervals are made of, the errors on the half not fitted, to this file "
                      "(hw_specs/residuals.yaml), and say how well they hold");
  add_word_option<Format>(*command, "--format", options->format, {{"text", Format::text}, {"json", Format::json}},
                          "text or json")
      ->default_str("text");
  return [options](const spec::Library& library) { return run_validate(*options, library); };
}

}  // namespace mlosim::cli
