// What came out of a study, for whoever shows it: text, JSON, CSV, HTML. Numbers are in SI base units.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/units/parse.hpp"

namespace mlosim::explore {

// A column that places a point: an axis's path, a variable or a derived path.
struct ResultColumn {
  enum class Kind { axis, variable, derived };

  std::string name;   // the path; of a variable its name; of a linked axis with several paths the axis's name
  std::string label;  // the shortest end of the name that no other column has: "hbm.bandwidth"
  Kind kind = Kind::axis;
  Dimension dimension;  // of its numbers
  bool varies = true;   // whether it has more than one value in the study
};

struct ResultObjective {
  std::string name;
  bool maximises = false;
  Dimension dimension;
};

struct ResultMetric {
  std::string name;
  Dimension dimension;
};

struct ResultPoint {
  std::uint64_t number = 0;         // in the study's order of points
  std::vector<std::string> labels;  // one for each column, as it is shown
  std::vector<double> numbers;      // the same; NaN for what is no number
  std::vector<double> objectives;   // one for each; empty where the point is infeasible
  std::vector<std::vector<double>>
      metrics;         // [workload][metric]; NaN for what a workload lacks; empty where not evaluated
  std::string reason;  // why it is infeasible; empty where it is not
  bool on_front = false;

  bool is_feasible() const { return reason.empty(); }
};

struct Result {
  std::string study, description, method, fidelity;
  std::vector<std::string> workloads;
  std::vector<double> weights;
  std::string combination;  // of workloads in an objective
  std::vector<std::string> constraints;
  std::vector<ResultColumn> columns;
  std::vector<ResultObjective> objectives;
  std::vector<ResultMetric> metrics;

  std::uint64_t space = 0;   // numbers of points that there are
  std::uint64_t points = 0;  // looked at: without those that say what another says
  std::uint64_t feasible = 0;
  std::vector<std::pair<std::string, std::uint64_t>> infeasible;  // reason and points, most first
  bool has_all_points = false;                                    // whether `kept` are all, or the front and the best
  std::vector<ResultPoint> kept;                                  // by number
  std::vector<std::size_t> front;         // indices of `kept`, best in the first objective first
  std::vector<std::size_t> best;          // the ten best in the first objective, best first
  std::vector<std::size_t> best_layouts;  // best_parallelism: the best of each point of the other axes, by number
};

}  // namespace mlosim::explore
