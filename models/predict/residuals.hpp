// How far predicted operator times are from measured ones, as hw_specs/residuals.yaml has it: quantiles of
// ln(measured / predicted) along the predicted time, for every chip, operator, runtime and number format that was
// measured, and what each step away from those adds. `mlosim validate --residuals` measures and writes it
// (validate/compare/residuals.hpp); interval.hpp turns it into intervals.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/library.hpp"
#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::predict {

// What decides how far a prediction may be off.
struct ResidualKey {
  std::string chip;  // empty: a machine that does not exist, such as one with another memory
  std::string family, runtime;
  std::string op;      // work::name_of: "gemm", "rmsnorm", "all_reduce"
  std::string format;  // "bf16"; "bf16/int4" where weights or cache have another than the activations
  Seconds time;        // predicted
};

ResidualKey residual_key(const work::Operator& op, const spec::Hardware& hardware, Seconds time);
// "bf16", "bf16/int4": the formats of an operator's activations and, where they differ, of its weights or cache.
std::string format_of(const work::Operator& op);
// Operators that are modelled alike: gemm, moe, attention, elementwise, collective.
std::string_view kind_of(std::string_view op);

// The ends of an 80 % interval of ln(measured / predicted). The prediction is inside: low <= 0 <= high.
struct Quantiles {
  double low = 0, high = 0;
  double distance = 0;  // what the steps to the nearest measurements add, in squares, to either end

  double lower() const;
  double upper() const;
};

// A step from what was measured to what is asked for.
enum class Step {
  chip,     // another chip of the same family
  family,   // kernel parameters that were not fitted: on a chip of another family, or of another operator; taken once
  runtime,  // another software stack
  format,   // another number format
  op,       // another operator of the same kind
  kind,     // an operator of another kind
  size,     // beyond the measured range of times: per factor e of time
};
inline constexpr std::size_t kSteps = 7;
std::string_view name_of(Step step);

// What a step adds to either end, in squares. An operator without a distance of its own has the step's `usual` one.
struct StepDistance {
  double usual = 0;
  std::map<std::string, double, std::less<>> by_op;

  double of(std::string_view op) const;
};

// Rows of one operator on one chip that share a distribution of residuals.
struct ResidualCurve {
  struct Point {
    Seconds time;  // predicted
    double low = 0, high = 0;
  };

  std::string op, chip, family;
  std::map<std::string, std::vector<std::string>> formats;  // that were measured, by runtime
  std::size_t rows = 0;
  Seconds shortest, longest;  // predicted, of the rows
  std::vector<Point> points;  // by time; between two of them linear in ln(time), beyond the outer ones flat

  Quantiles at(Seconds time) const;
  // ln of the factor by which a time is outside of the measured range; 0 inside.
  double outside(Seconds time) const;
  bool has(const std::string& runtime, const std::string& format) const;
};

// A number that is no fit to the rows of the curves.
struct SourcedNumber {
  double value = 0;
  std::string kind, source;  // as in hw_specs
};

struct ResidualTable {
  std::string source;                               // of everything but `host` and `network`
  chip::Fidelity fidelity = chip::Fidelity::event;  // of the predictions that were measured; taken for others, too
  std::array<StepDistance, kSteps> steps;           // by Step
  // Correlation of residuals on one machine: of rows of one operator, runtime and format, and of two kinds.
  double within_kind = 0, across_kinds = 0;
  SourcedNumber host;     // half-width of ln for time that no operator accounts for
  SourcedNumber network;  // what a whole network adds to its operators, in squares
  std::vector<ResidualCurve> curves;

  double step(Step step, std::string_view op) const { return steps[static_cast<std::size_t>(step)].of(op); }
};

// Reports mistakes to the node's decoding.
ResidualTable decode_residuals(spec::Node node);
// The file's text; decode_residuals reads it back, numbers rounded to what a quantile is known to.
std::string render_residuals(const ResidualTable& table);

// Answers for any operator on any chip from the nearest curves.
class Residuals {
 public:
  explicit Residuals(ResidualTable table);

  // The mean of the curves that are the fewest and smallest steps away, and the distance to them.
  Quantiles of(const ResidualKey& key) const;
  const ResidualTable& table() const { return table_; }

 private:
  double squared_distance(const ResidualCurve& curve, const ResidualKey& key) const;

  ResidualTable table_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> by_op_, by_kind_;  // indices of curves
};

// hw_specs/residuals.yaml of the library's first root that has one. Throws spec::InputError, also where none has.
Residuals read_residuals(const spec::Library& library);

}  // namespace mlosim::predict
