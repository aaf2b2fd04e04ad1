#include "models/plan/pipeline_program.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

constexpr std::size_t kPasses = 4;
constexpr std::uint32_t kUnset = machine::kNoTask;

// Where each pass of each micro-batch through each stage lies among the tasks.
class TaskTable {
 public:
  explicit TaskTable(const ScheduleShape& shape)
      : micro_batches_(static_cast<std::size_t>(shape.micro_batches)),
        at_(static_cast<std::size_t>(shape.stages()) * micro_batches_ * kPasses, kUnset) {}

  std::uint32_t& at(ChunkPass pass, std::int64_t stage, std::int32_t micro_batch) {
    return at_[(static_cast<std::size_t>(stage) * micro_batches_ + static_cast<std::size_t>(micro_batch)) * kPasses +
               static_cast<std::size_t>(pass)];
  }
  // The backward pass, or that part of it that the stage before waits for.
  std::uint32_t gradient(std::int64_t stage, std::int32_t micro_batch) {
    return std::min(at(ChunkPass::backward, stage, micro_batch), at(ChunkPass::input_gradient, stage, micro_batch));
  }

 private:
  std::size_t micro_batches_;
  std::vector<std::uint32_t> at_;
};

class Builder {
 public:
  Builder(const Schedule& schedule, std::span<const StageTimes> stages, bool pairs_sends)
      : schedule_(schedule), shape_(schedule.shape), stages_(stages), pairs_sends_(pairs_sends), table_(shape_) {
    MLOSIM_CHECK(static_cast<std::int64_t>(stages.size()) == shape_.stages());
  }

  machine::Pipeline build() {
    number_tasks();
    price_passes();
    price_joint_passes();
    for (std::size_t rank = 0; rank < schedule_.order.size(); ++rank) {
      const std::vector<ChunkTask>& order = schedule_.order[rank];
      for (std::size_t i = 0; i < order.size(); ++i) add_task(static_cast<std::int64_t>(rank), order, i);
    }
    return std::move(pipeline_);
  }

 private:
  void number_tasks() {
    std::uint32_t next = 0;
    for (std::size_t rank = 0; rank < schedule_.order.size(); ++rank) {
      pipeline_.first.push_back(next);
      for (const ChunkTask& task : schedule_.order[rank]) {
        std::uint32_t& at =
            table_.at(task.pass, shape_.stage_of(static_cast<std::int64_t>(rank), task.chunk), task.micro_batch);
        MLOSIM_CHECK(at == kUnset);
        at = next++;
      }
    }
    pipeline_.first.push_back(next);
    pipeline_.tasks.reserve(next);
  }

  // Cost kPasses · stage + pass.
  void price_passes() {
    for (std::int64_t s = 0; s < shape_.stages(); ++s) {
      const StageTimes& stage = stages_[static_cast<std::size_t>(s)];
      const Seconds down = shape_.crosses_after(s) ? stage.send_activation : Seconds(0);
      const Seconds up = s > 0 && shape_.crosses_after(s - 1) ? stage.send_gradient : Seconds(0);
      pipeline_.costs.push_back({.work = stage.forward, .send = down});
      pipeline_.costs.push_back({.work = stage.backward(), .send = up});
      pipeline_.costs.push_back({.work = stage.input_gradient, .send = up});
      pipeline_.costs.push_back({.work = stage.weight_gradient, .send = Seconds(0)});
    }
  }

  // Of a forward of one chunk of a rank beside a backward of the other. Where their stages differ, half of what each
  // takes with its like.
  void price_joint_passes() {
    first_joint_cost_ = static_cast<std::uint32_t>(pipeline_.costs.size());
    if (shape_.kind != ScheduleKind::dualpipe) return;
    for (std::int64_t rank = 0; rank < shape_.pp; ++rank) {
      for (std::int64_t chunk = 0; chunk < shape_.chunks(); ++chunk) {
        const auto forward = static_cast<std::size_t>(shape_.stage_of(rank, chunk));
        const StageTimes& a = stages_[forward];
        const StageTimes& b = stages_[static_cast<std::size_t>(shape_.stage_of(rank, 1 - chunk))];
        const bool is_known = a.overlapped > Seconds(0) && b.overlapped > Seconds(0);
        pipeline_.costs.push_back({.work = is_known ? (a.overlapped + b.overlapped) / 2 : a.forward + b.backward(),
                                   .send = pipeline_.costs[forward * kPasses].send});
      }
    }
  }

  void add_task(std::int64_t rank, const std::vector<ChunkTask>& order, std::size_t i) {
    const ChunkTask& task = order[i];
    const std::int64_t stage = shape_.stage_of(rank, task.chunk);
    machine::PipelineTask played;
    played.cost =
        static_cast<std::uint32_t>(static_cast<std::size_t>(stage) * kPasses + static_cast<std::size_t>(task.pass));
    played.after = before(task, stage);
    if (task.with_next) {
      played.cost = first_joint_cost_ + static_cast<std::uint32_t>(rank * shape_.chunks() + task.chunk);
      played.joins_next = machine::JoinsNext::runs;
    } else if (pairs_sends_ && is_paired(rank, order, i)) {
      played.joins_next = machine::JoinsNext::sends;
    }
    pipeline_.tasks.push_back(played);
  }

  std::uint32_t before(const ChunkTask& task, std::int64_t stage) {
    std::uint32_t found = kUnset;
    if (task.pass == ChunkPass::forward) {
      if (stage == 0) return kUnset;
      found = table_.at(ChunkPass::forward, stage - 1, task.micro_batch);
    } else if (task.pass == ChunkPass::weight_gradient) {
      found = table_.at(ChunkPass::input_gradient, stage, task.micro_batch);
    } else if (stage + 1 == shape_.stages()) {
      found = table_.at(ChunkPass::forward, stage, task.micro_batch);
    } else {
      found = table_.gradient(stage + 1, task.micro_batch);
    }
    MLOSIM_CHECK(found != kUnset);
    return found;
  }

  // A forward of the steady phase, which a backward follows.
  bool is_paired(std::int64_t rank, const std::vector<ChunkTask>& order, std::size_t i) const {
    return shape_.kind == ScheduleKind::interleaved && order[i].pass == ChunkPass::forward &&
           static_cast<std::int64_t>(i) >= interleaved_warm_up(shape_, rank);
  }

  const Schedule& schedule_;
  const ScheduleShape& shape_;
  std::span<const StageTimes> stages_;
  bool pairs_sends_;
  TaskTable table_;
  machine::Pipeline pipeline_;
  std::uint32_t first_joint_cost_ = 0;
};

}  // namespace

machine::Pipeline build_pipeline(const Schedule& schedule, std::span<const StageTimes> stages, bool pairs_sends) {
  return Builder(schedule, stages, pairs_sends).build();
}

}  // namespace mlosim::plan
