// A study's result as text, JSON or CSV.
#pragma once

#include <string>

#include "models/explore/result.hpp"

namespace mlosim::explore {

// Counts, the Pareto front as a table, and for best_parallelism the best layouts.
std::string render_text(const Result& result);

// One document, schema mlosim/study-result/1: everything in the result, points that are kept by number.
std::string render_json(const Result& result);

// One row a point: its number, whether it is feasible and on the front, its columns (as numbers in SI base units where
// they are numbers), its objectives, its metrics by workload, and why it is infeasible. The front alone, or all kept
// points by number.
std::string render_csv_front(const Result& result);
std::string render_csv_points(const Result& result);

}  // namespace mlosim::explore
