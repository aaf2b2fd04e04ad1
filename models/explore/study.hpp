// A study file, decoded: which designs are looked at, for which work, what counts and how they are searched. What its
// paths and names refer to is not looked up here: that is plan.hpp. README.md shows a study with all of its keys.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/spec/document.hpp"
#include "sim/spec/library.hpp"
#include "sim/spec/node.hpp"

namespace mlosim::explore {

// One value of an axis.
struct Choice {
  std::vector<spec::Value> values;  // one for each path of the axis; of a variable its own
  std::vector<double> numbers;      // the same in SI base units; NaN for what is no number
  std::string label;                // as it is shown
};

// Any number between two.
struct Continuum {
  double low = 0, high = 0;  // SI base units
  bool logarithmic = false;
  bool whole = false;
};

// What is varied: one path of the spec or workload, several that go together, or a number for expressions alone.
struct Axis {
  std::string name;  // a path, or what a linked axis or a variable is called
  spec::Place place;
  std::string workload;            // the only one that it is meant for; empty: all that have such a path
  std::vector<std::string> paths;  // none of a variable
  std::vector<Choice> choices;     // none of a continuum
  std::optional<Continuum> continuum{};
  std::vector<Dimension> dimensions;  // of the numbers of each path
  bool is_spread = false;             // its choices are steps between two ends

  bool is_variable() const { return paths.empty(); }
  std::size_t columns() const { return is_variable() ? 1 : paths.size(); }
  bool has_numbers(std::size_t column) const;  // whether an expression may take them
};

// A path whose value follows from the axes.
struct Derived {
  std::string name;  // as it is written
  std::string path;
  std::string expression;
  spec::Place place;
  std::string workload{};  // the only one that it is meant for; empty: all that have such a path
};

struct StudyWorkload {
  std::string name;
  double weight = 1;
  spec::Value source;  // a name, a path, or a workload inline
};

struct ObjectiveText {
  std::string name;                 // as it is shown
  std::string expression;           // of metrics, axes and numbers of the spec
  std::optional<bool> maximises{};  // none: as the metric says
  spec::Place place;
};

struct ConstraintText {
  std::string text;  // "tpot_s <= 50 ms"
  spec::Place place;
};

enum class Method { grid, random, latin_hypercube, nsga2, best_parallelism };
std::string_view name_of(Method method);

// One key of a layout that best_parallelism looks at, and what the study allows it to be.
struct LayoutLimit {
  std::string key;                  // "tp"
  std::vector<spec::Value> values;  // empty: all that are valid up to `most`
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  spec::Place place;
};

struct Search {
  Method method = Method::grid;
  std::uint64_t seed = 1;
  std::uint64_t points = 0;                       // random, latin_hypercube
  std::uint64_t population = 0, generations = 0;  // nsga2
  std::vector<LayoutLimit> layouts{};             // best_parallelism
  spec::Place place;
};

enum class Keep { all, front };
// How an objective of several workloads becomes one number.
enum class Combination { geometric_mean, mean, worst };
std::string_view name_of(Combination combination);

struct Study {
  std::string name, description;
  std::vector<StudyWorkload> workloads;
  std::vector<spec::Member> overrides;  // laid over every workload before the axes
  chip::Fidelity fidelity = chip::Fidelity::analytic;
  std::vector<Axis> axes;  // variables first
  std::vector<Derived> derived;
  std::vector<ConstraintText> constraints;
  std::vector<ObjectiveText> objectives;
  Combination combination = Combination::geometric_mean;
  Search search;
  std::optional<Keep> keep;  // none: all points of a small study, the front of a large one
  spec::Value document;      // as it was read
};

// Throws spec::InputError with every mistake of the file; what is between files is checked by plan_study.
Study decode_study(const spec::Value& document, const std::string& unnamed);

// By name or path.
Study read_study(const spec::Library& library, const std::string& name_or_path);

// The values of one axis as a study writes them: a list, a number alone, or a range. Mistakes are diagnostics.
void decode_axis_values(spec::Node node, Axis& axis);

// `method:`. Mistakes are diagnostics.
void decode_search(spec::Node node, Search& search);

// Rounds the numbers of a range (steps or continuum) to whole ones, none of them twice and none outside of its ends.
// False where there is no whole number between those.
bool make_whole(Axis& axis);

// How an axis's number is written where a decoder reads it: "4000000000000 B/s", "128".
std::string text_of_number(double si, Dimension dimension);

}  // namespace mlosim::explore
