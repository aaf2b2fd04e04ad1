// Which numbers of a chip may be fitted, as validate/parameters.yaml lists them with their physical bounds, and those
// of them that a given chip has. Knows nothing of measurements.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/document.hpp"
#include "sim/spec/library.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::calibrate {

enum class Scale {
  logarithmic,  // steps are factors: times, rates
  linear,       // steps are differences: shares, and what may be 0
};

// What two chips have in common where a number is carried from one to the other.
enum class Carried {
  value,   // the number itself, in SI units
  clocks,  // a time counted in core clocks
  launch,  // a time as a multiple of the chip's latency between kernels of a graph
  power,   // an energy as the share of the power cap that it takes at the peak rate
  l2,      // a unit's rate as a multiple of its part of the shared cache's
};

// One entry of the list.
struct ParameterRule {
  std::string pattern;                  // "chip.elementwise.kinds.*.fixed": '*' stands for any one name or index
  std::vector<std::string> operators;   // those whose rows fit it
  std::vector<std::string> also_moves;  // others whose price it enters
  double low = 0, high = 0;             // physical bounds, in SI units
  Dimension dimension;
  std::optional<double> typical;    // of a chip nobody measured, in what `carried` counts in
  std::vector<std::string> values;  // of a discrete parameter: all it may be; empty for a continuous one
  Scale scale = Scale::linear;
  double step = 0;  // of derivatives: a factor less 1, or a share of the range
  Carried carried = Carried::value;
  bool by_operand_path = false;  // is carried between chips that feed their multipliers the same way first
  bool on_request = false;       // one value does for all chips: fitted only where it is asked for by name

  bool is_discrete() const { return !values.empty(); }
};

// Reads the list. Throws spec::InputError with all mistakes.
std::vector<ParameterRule> read_parameter_rules(const spec::Library& library);

// The unit that a number is written in: " us" is 1e-6.
struct Unit {
  std::string suffix;
  double si = 1;
};

// A number of one chip that is free.
struct FreeParameter {
  ParameterRule rule;
  std::string path;  // "chip.gemm.prologue"
  double value = 0;  // in SI units, as it stands
  std::string text;  // as it is written
  Unit unit;
  std::string file;                              // that it stands in: the chip's, its family's or the runtime's
  std::optional<double> typical = std::nullopt;  // of this chip if nobody had measured it, in SI units

  // Whether the number, as it stands, is one that a fit may find.
  bool is_within_bounds() const;

  // The position in which steps are taken: the logarithm, or the share of the range.
  double position_of(double value_si) const;
  double value_at(double position) const;
  double lowest_position() const { return position_of(rule.low); }
  double highest_position() const { return position_of(rule.high); }

  // `value_si` in the parameter's unit with four digits ("812 clk"), or so that it is read back to the same double.
  std::string rounded_text(double value_si) const;
  std::string exact_text(double value_si) const;
};

// The value at a path ("chip.gemm.prologue") of a chip's document; null where there is none.
const spec::Value* value_at(const spec::Value& chip, std::string_view path);

// The parameters of a chip's document (family and runtime laid in) that bear on one of `operators` and match one of
// `patterns`, in the list's order; without patterns, all but those on request. What the document does not have, and
// what is no plain number there, is left out. Throws spec::InputError, with the nearest path, for a pattern that
// matches nothing.
std::vector<FreeParameter> free_parameters(const std::vector<ParameterRule>& rules, const spec::Value& chip,
                                           const std::vector<std::string>& operators,
                                           const std::vector<std::string>& patterns);

}  // namespace mlosim::calibrate
