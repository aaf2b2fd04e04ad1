// A run of neighbouring points, evaluated one after the other: the unit that threads and machines share out and the
// store keeps. What a chunk says depends on its points alone, and not on who evaluated it or when.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/explore/blueprint.hpp"
#include "models/explore/evaluator.hpp"
#include "models/explore/space.hpp"

namespace mlosim::explore {

struct Point {
  std::uint64_t number = 0;
  std::vector<double> at;          // one coordinate an axis
  std::vector<double> derived;     // values of derived paths, SI
  std::vector<double> metrics;     // workload by workload; empty where it was not evaluated
  std::vector<double> objectives;  // SI; empty where it is infeasible
  std::string reason;              // why it is infeasible; empty where it is not

  bool is_feasible() const { return reason.empty(); }
};

struct ChunkResult {
  std::uint64_t points = 0, feasible = 0;
  std::map<std::string, std::uint64_t> reasons;  // of infeasible points, numbers left out of the sentences
  std::vector<Point> kept;                       // in the order of their numbers

  // Of infeasible points, that is.
  void count_infeasible(const std::string& reason, std::uint64_t points);
};

struct Chunk {
  std::uint64_t first = 0, last = 0;  // [first, last)
  std::vector<double> coordinates{};  // of a search that makes its own points, point by point; empty otherwise
};

// To bytes and back, the same on every machine of one architecture. Throws spec::InputError for what is none.
std::string encode_result(const ChunkResult& result);
ChunkResult decode_result(std::string_view bytes);
std::string encode_chunk(std::uint64_t number, const Chunk& chunk);
Chunk decode_chunk(std::string_view bytes, std::uint64_t& number);

// Whether the result of a study has all points, or only those that may be on the front or among the best. Throws
// spec::InputError where all are asked for and there are too many.
bool shows_all(const Blueprint& blueprint, const Space& space);
// Whether its chunks have all: generations are made from what is kept.
bool keeps_all(const Blueprint& blueprint, const Space& space);

// One thread's work on chunks.
class ChunkWorker {
 public:
  ChunkWorker(const Blueprint& blueprint, const Space& space, SharedSettings& settings);

  ChunkResult evaluate(const Chunk& chunk);

 private:
  // Evaluates the point that is in at_; true where points after it share its verdict.
  Evaluator::Answer judge(Point& point);
  double objective_value(const BoundObjective& objective);
  std::string broken_constraint(bool with_metrics);
  void use_metrics_of(std::size_t workload);

  const Blueprint& b_;
  const Space& space_;
  std::unique_ptr<Evaluator> evaluator_;
  bool keeps_all_;
  std::vector<double> at_, slots_;
};

}  // namespace mlosim::explore
