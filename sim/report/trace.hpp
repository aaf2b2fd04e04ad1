// Chrome trace events of a played program, for ui.perfetto.dev: chips are processes, streams are threads, tasks are
// slices with their limiter and plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/event/facts.hpp"
#include "sim/machine/play.hpp"
#include "sim/machine/program.hpp"

namespace mlosim::report {

class TraceWriter {
 public:
  // Slices of one program, shifted so that it starts where the last one ended, under a phase name ("prefill", "decode
  // 3"). All times are drawn out by `stretch`, as StepReport::stretch does.
  void add(const std::string& phase, const machine::Program& program, const std::vector<machine::TaskFact>& facts,
           event::Span makespan, double stretch);
  // What the ranks of a pipeline did, each a process of its own, from the start of the trace on.
  struct RankSlice {
    std::uint32_t rank = 0;
    std::string name, category;  // "forward 3", "forward"
    event::Time start, end;
  };
  void add_ranks(const std::string& title, std::vector<RankSlice> slices);
  const std::vector<RankSlice>& ranks() const { return ranks_; }
  // The whole JSON document. The ranks are alike and one is played: the process's title says of how many `chips`.
  std::string render(std::int64_t chips) const;

 private:
  struct Slice {
    std::string name, category, limiter, detail;
    double start_us, duration_us;
    std::uint32_t stream;
  };

  std::vector<std::string> streams_;
  std::vector<Slice> slices_;
  std::vector<Slice> phases_;
  std::string ranks_title_;
  std::vector<RankSlice> ranks_;
  double offset_us_ = 0;
};

// Keeps the facts of one program for a trace.
class TaskLog : public event::Observer<machine::TaskFact> {
 public:
  void observe(const machine::TaskFact& fact) override { facts.push_back(fact); }
  std::vector<machine::TaskFact> facts;
};

}  // namespace mlosim::report
