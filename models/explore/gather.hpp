// Draws the results of chunks together into the result of a study.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/explore/chunk.hpp"
#include "models/explore/result.hpp"

namespace mlosim::explore {

class Gatherer {
 public:
  // Both outlive the gatherer.
  Gatherer(const Blueprint& blueprint, const Space& space);

  // In the order of their points.
  void add(ChunkResult chunk);
  Result result();

 private:
  void describe_columns(Result& result) const;
  ResultPoint describe(const Point& point) const;
  void choose_best_layouts(Result& result) const;

  const Blueprint& b_;
  const Space& space_;
  bool shows_all_;
  std::uint64_t group_;
  ChunkResult total_;
  std::size_t thinned_ = 0;  // points that were left when they were last thinned out
};

}  // namespace mlosim::explore
