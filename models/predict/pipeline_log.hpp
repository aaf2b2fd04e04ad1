// Keeps the facts of a played pipeline for a trace: a slice for each chunk, under its rank.
#pragma once

#include <utility>
#include <vector>

#include "models/plan/pipeline_schedule.hpp"
#include "sim/machine/play_pipeline.hpp"
#include "sim/report/trace.hpp"

namespace mlosim::predict {

class PipelineLog : public event::Observer<machine::PipelineFact> {
 public:
  // Both outlive the log; `pipeline` is built from `schedule`.
  PipelineLog(const plan::Schedule& schedule, const machine::Pipeline& pipeline)
      : schedule_(schedule), pipeline_(pipeline) {}

  void observe(const machine::PipelineFact& fact) override;
  std::vector<report::TraceWriter::RankSlice> take() { return std::move(slices_); }

 private:
  const plan::Schedule& schedule_;
  const machine::Pipeline& pipeline_;
  std::vector<report::TraceWriter::RankSlice> slices_;
};

}  // namespace mlosim::predict
