#include "validate/calibrate/calibrate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "sim/spec/hardware.hpp"
#include "validate/calibrate/carried.hpp"

namespace mlosim::calibrate {
namespace {

using Places = std::vector<std::size_t>;

// Every n-th of the rows, ordered by operator, format and time: as many short as long ones of each.
Places stratified(const Objective& objective, Places rows, std::size_t most) {
  if (rows.size() <= most) return rows;
  const auto key = [&](std::size_t i) {
    const suite::Measurement& m = *objective.rows()[i].measurement;
    return std::make_tuple(operator_of(m), m.dtype, m.measured.si(), i);
  };
  std::sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  Places sample;
  for (std::size_t i = 0; i < most; ++i) sample.push_back(rows[i * rows.size() / most]);
  std::sort(sample.begin(), sample.end());
  return sample;
}

// The i-th number of van der Corput's sequence, in (0, 1): starts that are spread evenly and always the same.
double spread(std::size_t i, std::size_t base) {
  double value = 0, digit = 1;
  for (; i > 0; i /= base) {
    digit /= static_cast<double>(base);
    value += digit * static_cast<double>(i % base);
  }
  return value;
}

std::string family_of(const spec::Value& chip) {
  const spec::Value* family = chip.find("family");
  return family ? family->text : std::string();
}

class Calibrator {
 public:
  Calibrator(const Objective& objective, const Options& options)
      : objective_(objective), options_(options), setting_(objective.initial()) {
    Places fitted;
    for (std::size_t i = 0; i < objective.rows().size(); ++i) {
      if (options.all_rows || objective.rows()[i].fit_half) {
        fitted.push_back(i);
      } else {
        held_out_.push_back(i);
      }
    }
    if (fitted.empty()) throw spec::InputError("no row is in the half that is fitted", "--all-rows fits all of them");
    sample_ = stratified(objective, fitted, options.most_rows);
    fitted_ = std::move(fitted);
    for (std::size_t p = 0; p < parameters().size(); ++p) {
      if (!parameters()[p].rule.is_discrete()) {
        free_.push_back(p);
        old_.push_back(options.unknown_chip ? parameters()[p].typical.value_or(parameters()[p].value)
                                            : parameters()[p].value);
      }
    }
    if (options.unknown_chip) {
      for (std::size_t p = 0; p < parameters().size(); ++p) {
        if (parameters()[p].rule.is_discrete()) setting_[p] = parameters()[p].rule.values.front();
      }
      for (std::size_t j = 0; j < free_.size(); ++j) setting_ = objective.with(std::move(setting_), free_[j], old_[j]);
    }
    base_ = setting_;
    answers_.resize(parameters().size());
  }

  void run(Calibration& c) {
    best_ = from_starts();
    search_discrete();
    hold_unidentified();
    fill(c);
  }

 private:
  const std::vector<FreeParameter>& parameters() const { return objective_.parameters(); }
  bool is_stopped() const { return options_.fit.stop(); }

  Fit fit_from(const std::vector<double>& start, int iterations) const {
    FitOptions fit_options = options_.fit;
    fit_options.most_iterations = iterations;
    return fit(objective_, setting_, free_, start, sample_, fit_options);
  }

  std::vector<double> start(int number) const {
    std::vector<double> values;
    for (std::size_t j = 0; j < free_.size(); ++j) {
      const FreeParameter& p = parameters()[free_[j]];
      const double old = p.position_of(old_[j]);
      if (number == 0) {
        values.push_back(p.value_at(old));
      } else if (number == 1 && p.typical && !options_.unknown_chip) {
        values.push_back(*p.typical);
      } else {
        // Around the old number, by up to a tenth of the way between the bounds.
        constexpr double kReach = 0.2;
        const double shift = spread(static_cast<std::size_t>(number), 2 + j) - 0.5;
        values.push_back(p.value_at(old + kReach * shift * (p.highest_position() - p.lowest_position())));
      }
    }
    return values;
  }

  Fit from_starts() {
    Fit best;
    for (int s = 0; s < std::max(1, options_.starts) && (s == 0 || !is_stopped()); ++s) {
      const Fit found = fit_from(start(s), options_.fit.most_iterations);
      options_.progress(fmt::format("start {} of {}: mean robust loss {:.5f}", s + 1, options_.starts, found.cost));
      if (s == 0 || found.cost < best.cost) best = found;
    }
    return best;
  }

  // One discrete parameter after the other: the value by which the others, refitted, fit best.
  void search_discrete() {
    constexpr int kShortRefit = 6;
    constexpr double kLeastGain = 0.005;
    for (std::size_t p = 0; p < parameters().size(); ++p) {
      if (!parameters()[p].rule.is_discrete()) continue;
      const std::string first = setting_[p];
      std::string chosen = first;
      for (const std::string& value : parameters()[p].rule.values) {
        if (value == first || is_stopped()) continue;
        setting_[p] = value;
        const Fit found = fit_from(best_.values, kShortRefit);
        options_.progress(fmt::format("{} = {}: mean robust loss {:.5f}", parameters()[p].path, value, found.cost));
        if (found.cost < best_.cost * (1 - kLeastGain)) {
          best_ = found;
          chosen = value;
        }
      }
      setting_[p] = chosen;
    }
  }

  // Gives up what the rows do not identify and refits the rest, until all that is left is.
  void hold_unidentified() {
    while (!free_.empty()) {
      const std::vector<Identification> found =
          identify(objective_, setting_, free_, best_.values, sample_, options_.fit.loss_scale);
      for (std::size_t j = 0; j < free_.size(); ++j) answers_[free_[j]] = found[j];
      const Places given_up = to_give_up(found);
      if (given_up.empty()) return;
      for (auto it = given_up.rbegin(); it != given_up.rend(); ++it) {
        options_.progress(fmt::format("{} is not identified: {}", parameters()[free_[*it]].path, found[*it].reason));
        // Of a chip whose own number is not to be looked at, the bound is all that is known.
        const FreeParameter& p = parameters()[free_[*it]];
        setting_[free_[*it]] = options_.unknown_chip && found[*it].verdict == Verdict::at_bound
                                   ? p.rounded_text(best_.values[*it])
                                   : base_[free_[*it]];
        free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(*it));
        old_.erase(old_.begin() + static_cast<std::ptrdiff_t>(*it));
        best_.values.erase(best_.values.begin() + static_cast<std::ptrdiff_t>(*it));
      }
      best_ = fit_from(best_.values, options_.fit.most_iterations);
    }
  }

  // What has no effect or ran into a bound goes first, for what trades against it may then be determined; then one of
  // those that cannot be told apart; the least certain one last, alone.
  static Places to_give_up(const std::vector<Identification>& found) {
    Places outright, correlated, uncertain;
    for (std::size_t j = 0; j < found.size(); ++j) {
      switch (found[j].verdict) {
        case Verdict::identified:
          break;
        case Verdict::no_effect:
        case Verdict::at_bound:
          outright.push_back(j);
          break;
        case Verdict::correlated:
          correlated.push_back(j);
          break;
        case Verdict::uncertain:
          uncertain.push_back(j);
          break;
      }
    }
    if (!outright.empty()) return outright;
    const Places& doubtful = correlated.empty() ? uncertain : correlated;
    if (doubtful.empty()) return {};
    return {*std::max_element(doubtful.begin(), doubtful.end(), [&](std::size_t a, std::size_t b) {
      return found[a].standard_error < found[b].standard_error;
    })};
  }

  double mape_of(const Setting& setting, const Places& rows) const {
    double sum = 0;
    for (const double r : objective_.residuals(setting, rows)) sum += std::abs(std::exp(r) - 1);
    return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
  }

  void fill(Calibration& c) {
    Setting found = setting_;
    for (std::size_t j = 0; j < free_.size(); ++j)
      found[free_[j]] = parameters()[free_[j]].rounded_text(best_.values[j]);
    const double mape = mape_of(found, fitted_);
    c.is_better = mape < mape_of(base_, fitted_);
    const Setting kept = c.is_better ? found : base_;
    for (std::size_t p = 0; p < parameters().size(); ++p) {
      FittedParameter f{.parameter = parameters()[p], .text = kept[p], .identification = answers_[p]};
      f.is_changed = kept[p] != base_[p];
      f.value = std::get<ParsedQuantity>(parse_quantity(kept[p])).si;
      if (f.is_changed) {
        Setting without = kept;
        without[p] = base_[p];
        f.gain = mape_of(without, fitted_) - mape;
      }
      c.parameters.push_back(std::move(f));
    }
    std::set<std::size_t> suites;
    for (const std::size_t row : fitted_) suites.insert(objective_.rows()[row].suite);
    for (const std::size_t suite : suites) c.suites.push_back(objective_.suites()[suite]);
    std::set<std::size_t> shapes;
    for (const std::size_t row : sample_) shapes.insert(objective_.rows()[row].shape);
    c.rows_in_steps = sample_.size();
    c.shapes = shapes.size();
    c.is_stopped = is_stopped();
    score(base_, c.fitted.before, c.held_out.before);
    score(kept, c.fitted.after, c.held_out.after);
  }

  // The baseline's constants are those of the fitted rows for both.
  void score(const Setting& setting, compare::Score& fitted, compare::Score& held_out) const {
    const std::vector<compare::ScoredRow> on = objective_.scored(setting, fitted_);
    const std::vector<compare::ScoredRow> off = objective_.scored(setting, held_out_);
    std::vector<const compare::ScoredRow*> on_rows, off_rows;
    for (const compare::ScoredRow& row : on) on_rows.push_back(&row);
    for (const compare::ScoredRow& row : off) off_rows.push_back(&row);
    fitted = compare::score(on_rows, on_rows);
    if (!off_rows.empty()) held_out = compare::score(off_rows, on_rows);
  }

  const Objective& objective_;
  const Options& options_;
  Places fitted_, held_out_, sample_;
  Places free_;              // continuous parameters that are still free
  std::vector<double> old_;  // where they start
  Setting base_;             // before
  Setting setting_;          // discrete choices, and what is held
  Fit best_;
  std::vector<Identification> answers_;
};

// What the fit does that a reader may not expect of the numbers as they stand.
std::vector<std::string> notes_on(const Objective& objective, const RowSet& set) {
  std::vector<std::string> notes;
  std::map<std::string, std::vector<std::string>> kept;  // parameters, by the machine that has its own
  for (std::size_t p = 0; p < objective.parameters().size(); ++p) {
    const FreeParameter& parameter = objective.parameters()[p];
    if (!parameter.is_within_bounds()) {
      notes.push_back(
          parameter.rule.is_discrete()
              ? fmt::format("{} is {}, which is not among the listed values", parameter.path, parameter.text)
              : fmt::format("{} is {}, outside its bounds of {} to {}: the fit starts at the nearer one",
                            parameter.path, parameter.text, parameter.rounded_text(parameter.rule.low),
                            parameter.rounded_text(parameter.rule.high)));
    }
    for (std::size_t m = 0; m < set.machines.size(); ++m) {
      if (!objective.holds(m, p))
        kept[fmt::format("{} with {}", set.machines[m].system, set.machines[m].runtime)].push_back(parameter.path);
    }
  }
  for (const auto& [machine, paths] : kept)
    notes.push_back(fmt::format("rows of {} keep numbers of their own: {}", machine, fmt::join(paths, ", ")));
  return notes;
}

}  // namespace

Calibration calibrate(const spec::Library& library, const Measurements& measurements, const Options& options) {
  const RowSet set = measurements.choose(options.rows);
  std::set<std::string> chips, families;
  for (const Row& row : set.rows) chips.insert(row.measurement->device);
  for (const Machine& machine : set.machines) families.insert(family_of(machine.documents.chip));
  if (families.size() > 1) {
    throw spec::InputError(fmt::format("the rows are of chips of {} families", families.size()),
                           "name one chip, or chips of one family, with --chip");
  }
  const bool runtime_layer = !options.rows.runtime.empty();
  const spec::Value chip =
      runtime_layer
          ? set.machines.front().documents.chip
          : spec::with_family(library, spec::read_document(library.require(spec::Shelf::chips, *chips.begin())));
  std::vector<FreeParameter> parameters =
      free_parameters(read_parameter_rules(library), chip, set.operators(), options.parameters);
  if (parameters.empty()) {
    throw spec::InputError("no free parameter bears on these rows",
                           fmt::format("validate/parameters.yaml lists them, by operator"));
  }
  const spec::Hardware hardware = decode(set.machines.front().documents);
  for (FreeParameter& p : parameters) p.typical = typical_value(p.rule, hardware.system.chip, p.value);
  const Objective objective(set, std::move(parameters), runtime_layer, options.fidelity);
  Calibration c;
  c.chips.assign(chips.begin(), chips.end());
  c.family = *families.begin();
  c.runtime = options.rows.runtime;
  c.notes = notes_on(objective, set);
  c.skipped = set.skipped + objective.dropped();
  Calibrator(objective, options).run(c);
  return c;
}

}  // namespace mlosim::calibrate
