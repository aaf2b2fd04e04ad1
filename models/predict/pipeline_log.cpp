#include "models/predict/pipeline_log.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "sim/units/check.hpp"

namespace mlosim::predict {
namespace {

std::string_view name_of(plan::ChunkPass pass) {
  switch (pass) {
    case plan::ChunkPass::forward:
      return "forward";
    case plan::ChunkPass::backward:
      return "backward";
    case plan::ChunkPass::input_gradient:
      return "input gradient";
    case plan::ChunkPass::weight_gradient:
      return "weight gradient";
  }
  MLOSIM_CHECK(false);
}

}  // namespace

void PipelineLog::observe(const machine::PipelineFact& fact) {
  const plan::ChunkTask& task = schedule_.order[fact.rank][fact.task - pipeline_.first[fact.rank]];
  const std::string_view pass = name_of(task.pass);
  std::string name = fmt::format("{} {}", pass, task.micro_batch);
  if (schedule_.shape.chunks() > 1) name += fmt::format(" of chunk {}", task.chunk);
  slices_.push_back({.rank = fact.rank,
                     .name = std::move(name),
                     .category = std::string(pass),
                     .start = fact.start,
                     .end = fact.end});
}

}  // namespace mlosim::predict
