#include "validate/calibrate/transfer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "sim/spec/hardware.hpp"
#include "sim/spec/spelling.hpp"
#include "sim/units/check.hpp"
#include "validate/calibrate/carried.hpp"
#include "validate/calibrate/kept.hpp"
#include "validate/compare/three_constants.hpp"
#include "validate/suite/decode_row.hpp"

namespace mlosim::calibrate {
namespace {

// A chip's own fit, as a donor to others.
struct Donor {
  spec::ChipSpec chip;
  std::string operand_path;  // as its GEMM plans name it; empty on a systolic chip
  Calibration calibration;

  // What it knows of a parameter; null where its rows do not tell.
  const FittedParameter* find(const std::string& path) const {
    for (const FittedParameter& p : calibration.parameters) {
      // A bound that the fit ran into says less than what is typical.
      const bool is_known = p.identification.verdict == Verdict::identified ||
                            (p.identification.verdict == Verdict::at_bound && !p.parameter.typical);
      if (p.parameter.path == path && is_known && calibration.is_better) return &p;
    }
    return nullptr;
  }
};

constexpr int kFarthest = 2;  // nothing is carried as far as that

// How far two chips' ways of feeding their multipliers are apart: the same, both by bulk copies into shared memory, or
// one through registers.
int distance(std::string_view a, std::string_view b) {
  constexpr std::string_view kRegisters = "register_file";
  if (a == b) return 0;
  return a != kRegisters && b != kRegisters ? 1 : kFarthest;
}

// The donors of a parameter to a chip: siblings of its family before others, then (where it depends on that) those that
// feed their multipliers most alike.
std::vector<const Donor*> donors_of(const FreeParameter& p, const Donor& chip,
                                    const std::vector<const Donor*>& others) {
  std::vector<const Donor*> able, kin;
  for (const Donor* donor : others) {
    if (!donor->find(p.path)) continue;
    able.push_back(donor);
    if (donor->chip.family == chip.chip.family) kin.push_back(donor);
  }
  if (!kin.empty()) return kin;
  if (!p.rule.by_operand_path) return able;
  int nearest = kFarthest - 1;
  const auto to = [&](const Donor* d) { return distance(d->operand_path, chip.operand_path); };
  for (const Donor* donor : able) nearest = std::min(nearest, to(donor));
  std::erase_if(able, [&](const Donor* d) { return to(d) != nearest; });
  return able;
}

// The value that most donors have, the first among equals.
std::string most_frequent(const FreeParameter& p, const std::vector<const Donor*>& donors) {
  std::vector<std::pair<std::string, int>> votes;
  for (const Donor* donor : donors) {
    const std::string& text = donor->find(p.path)->text;
    const auto vote = std::find_if(votes.begin(), votes.end(), [&](const auto& v) { return v.first == text; });
    if (vote == votes.end())
      votes.emplace_back(text, 1);
    else
      ++vote->second;
  }
  return std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

// The median of the donors' values, each in its chip's own unit: one odd chip does not move it.
double carried_value(const FreeParameter& p, const spec::ChipSpec& chip, const std::vector<const Donor*>& donors) {
  std::vector<double> values;
  for (const Donor* donor : donors) values.push_back(donor->find(p.path)->value / unit_of(p.rule.carried, donor->chip));
  std::sort(values.begin(), values.end());
  const double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
  return std::clamp(median * unit_of(p.rule.carried, chip), p.rule.low, p.rule.high);
}

TransferredParameter carry(const FreeParameter& p, const Donor& chip, const std::vector<const Donor*>& others) {
  const std::vector<const Donor*> donors = donors_of(p, chip, others);
  TransferredParameter t{.path = p.path, .text = p.text, .donors = {}};
  for (const Donor* donor : donors) t.donors.push_back(donor->chip.name);
  if (p.rule.is_discrete()) {
    t.text = donors.empty() ? p.rule.values.front() : most_frequent(p, donors);
  } else if (!donors.empty()) {
    t.text = p.rounded_text(carried_value(p, chip.chip, donors));
  } else if (p.typical) {
    t.text = p.rounded_text(*p.typical);
  }
  return t;
}

class LeaveOut {
 public:
  LeaveOut(const spec::Library& library, const Measurements& measurements, const Options& options,
           std::size_t fewest_rows)
      : library_(library), measurements_(measurements), options_(options) {
    options_.unknown_chip = true;
    RowChoice all = options.rows;
    all.chips.clear();
    std::map<std::string, std::size_t> rows;
    for (const Row& row : measurements.choose(all).rows) ++rows[row.measurement->device];
    for (const auto& [chip, count] : rows) {
      if (count >= fewest_rows) chips_.push_back(chip);
    }
  }

  const std::vector<std::string>& chips() const { return chips_; }

  Transfer run(const std::vector<std::string>& left_out) {
    for (const std::string& chip : chips_) donors_.push_back(fit_alone(chip));
    Transfer transfer;
    for (const std::string& chip : left_out) transfer.chips.push_back(predict(chip));
    return transfer;
  }

 private:
  RowSet rows_of(const std::string& chip) const {
    RowChoice choice = options_.rows;
    choice.chips = {chip};
    return measurements_.choose(choice);
  }

  Donor fit_alone(const std::string& chip) const {
    options_.progress("fitting " + chip);
    Options own = options_;
    own.rows.chips = {chip};
    const spec::HardwareDocuments documents = rows_of(chip).machines.front().documents;
    const spec::Value* path = value_at(documents.chip, "chip.gemm.operand_path");
    return {.chip = decode(documents).system.chip,
            .operand_path = path ? path->text : std::string(),
            .calibration = calibrate(library_, measurements_, own)};
  }

  LeftOut predict(const std::string& name) const {
    LeftOut left{.chip = name, .parameters = {}, .kept = {}, .transferred = {}, .fitted = {}};
    std::vector<const Donor*> others;
    const Donor* own = nullptr;
    for (const Donor& donor : donors_) {
      if (donor.chip.name == name)
        own = &donor;
      else
        others.push_back(&donor);
    }
    MLOSIM_CHECK(own);
    left.fitted = own->calibration.held_out.after;
    std::vector<FreeParameter> parameters;
    for (const FittedParameter& p : own->calibration.parameters) parameters.push_back(p.parameter);
    const RowSet set = rows_of(name);
    const Objective objective(set, parameters, !options_.rows.runtime.empty(), options_.fidelity);
    Setting setting;
    for (const FreeParameter& p : parameters) {
      left.parameters.push_back(carry(p, *own, others));
      setting.push_back(left.parameters.back().text);
    }
    left.kept = kept_numbers(objective, setting);
    const std::vector<compare::ScoredRow> rows = scored(objective, setting);
    std::vector<compare::ScoredRow> baseline;
    for (const Donor* other : others) {
      const RowSet theirs = rows_of(other->chip.name);
      const Objective plain(theirs, {}, false, options_.fidelity);
      const std::vector<compare::ScoredRow> more = scored(plain, {});
      baseline.insert(baseline.end(), more.begin(), more.end());
    }
    const compare::ThreeConstantsByCell constants(pointers(rows), pointers(baseline), compare::Cell::op_dtype);
    left.transferred = compare::score(pointers(rows), constants);
    return left;
  }

  static std::vector<compare::ScoredRow> scored(const Objective& objective, const Setting& setting) {
    std::vector<std::size_t> all(objective.rows().size());
    std::iota(all.begin(), all.end(), std::size_t(0));
    return objective.scored(setting, all);
  }

  static std::vector<const compare::ScoredRow*> pointers(const std::vector<compare::ScoredRow>& rows) {
    std::vector<const compare::ScoredRow*> pointers;
    for (const compare::ScoredRow& row : rows) pointers.push_back(&row);
    return pointers;
  }

  const spec::Library& library_;
  const Measurements& measurements_;
  Options options_;
  std::vector<std::string> chips_;
  std::vector<Donor> donors_;
};

}  // namespace

Transfer leave_out(const spec::Library& library, const Measurements& measurements, const Options& options,
                   std::vector<std::string> left_out, std::size_t fewest_rows) {
  for (std::string& chip : left_out) chip = suite::chip_of_device(chip);
  LeaveOut run(library, measurements, options, fewest_rows);
  const std::vector<std::string>& chips = run.chips();
  if (chips.size() < 2) {
    throw spec::InputError(fmt::format("{} of the suites has {} rows or more of these operators",
                                       chips.empty() ? std::string("no chip") : "only " + chips.front(), fewest_rows),
                           "name the tables of at least two chips");
  }
  for (const std::string& chip : left_out) {
    if (std::find(chips.begin(), chips.end(), chip) == chips.end())
      throw spec::InputError(fmt::format("chip '{}' has fewer than {} such rows in the suites", chip, fewest_rows),
                             spec::spelling_hint(chip, chips));
  }
  return run.run(left_out.empty() ? chips : left_out);
}

}  // namespace mlosim::calibrate
