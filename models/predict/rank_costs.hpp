// What the layers of a training step cost one rank, in closed form: of each block of the graph, and of the virtual
// stages that are made of them. What is planned before anything is priced is the same on machines that differ in their
// speeds. Internal to TrainingCosts.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "models/plan/overlapped_layers.hpp"
#include "models/plan/pipeline_program.hpp"
#include "models/plan/stage_layers.hpp"
#include "models/predict/close_step.hpp"
#include "models/predict/plan_training.hpp"
#include "sim/report/serial_report.hpp"

namespace mlosim::predict {

struct PassCost {
  report::StepCost cost;  // at full clock
  chip::ChipUse use;
};

struct BlockCosts {
  PassCost forward, backward;
  PassCost input_gradient, weight_gradient;  // of schedules that part them
};

// Of one layer of a block: what data-parallel ranks exchange, and what runs beside it.
struct BlockExchange {
  report::StepCost gather, reduce;                // their time alone, and what they draw
  double forward_speed = 1, gather_speed = 1;     // while both run …
  double backward_speed = 1, exchange_speed = 1;  // … forwards and backwards
};

// Virtual stages with equally many layers of each block. Their order matters only where the exchanges of each layer run
// beside the next, and there it is that of the first stage of the kind: stage 0 where this is asked.
struct StageKind {
  plan::StageLayers layers;          // of the first of them
  std::vector<std::int64_t> counts;  // layers of each block
};

// Passes of a stage at the clock that power allows.
struct StagePasses {
  report::StepCost forward, backward;
  Seconds input_gradient, weight_gradient;  // where the schedule parts them

  Seconds busy() const { return forward.makespan + backward.makespan; }
};

struct StageTable {
  std::vector<StageKind> kinds;
  std::vector<std::uint32_t> kind_of_stage;
  std::vector<std::int64_t> counts;  // layers of each block, over all stages

  std::size_t kind(std::int64_t stage) const { return kind_of_stage[static_cast<std::size_t>(stage)]; }
};

// Of the stages of a table, with nothing beside.
struct StageCosts {
  std::vector<StagePasses> passes;  // of each kind
  MeanWork work;                    // of both passes through all stages
};

// Of a pipeline, from its first forward to its last backward pass.
struct PipelineTimes {
  Seconds with_messages, without;
};

// How stages send a micro-batch to one another.
struct Sending {
  Seconds each;
  machine::SendMode mode = machine::SendMode::overlapped;
  bool operator==(const Sending&) const = default;
};

// Which data-parallel collectives run beside a pass.
struct BesidePass {
  const std::vector<BlockExchange>* exchanges = nullptr;  // of each block; null where nothing runs beside
  bool gathers = false, reduces = false;
  plan::ExposedShares exposed{};

  bool is_alone() const { return !exchanges || (!gathers && !reduces); }
};

// The programs of a block, one layer of it.
struct BlockPrograms {
  machine::Program forward, backward;
  std::optional<machine::Program> input_gradient, weight_gradient;  // of schedules that part them
};

// The blocks as a training run cuts them.
class RankPlan {
 public:
  RankPlan(const TrainingSubject& subject, const Training& training, const spec::TrainingRuntime& runtime,
           bool parts_gradients);

  bool parts_gradients() const { return parts_gradients_; }
  const graph::TrainingGraph& graph() const { return graph_; }
  const TrainingFlops& flops() const { return flops_; }
  const std::vector<BlockPrograms>& programs() const { return programs_; }         // of each block
  const std::vector<plan::BlockMemory>& memory() const { return memory_; }         // likewise
  const std::vector<plan::Parameters>& parameters() const { return parameters_; }  // likewise

  // Of a pipeline with so many virtual stages; the same table for the same number.
  const StageTable& stages(std::int64_t count);

 private:
  StageTable make_stages(std::int64_t count) const;

  bool parts_gradients_;
  graph::TrainingGraph graph_;
  TrainingFlops flops_;
  std::vector<BlockPrograms> programs_;
  std::vector<plan::BlockMemory> memory_;
  std::vector<plan::Parameters> parameters_;
  std::map<std::int64_t, StageTable> tables_;
};

class RankCosts {
 public:
  // Prices the programs of `plan`, which outlives it. Throws as PriceBook::price.
  RankCosts(const RankPlan& plan, const spec::LaunchSpec& launch, machine::PriceBook& prices);

  // Each of these is the same for the same arguments; tables of stages are the plan's.

  const StageCosts& stages(const StageTable& table);
  // Collectives of data parallelism for each block, and how fast they and the layers beside them are.
  const std::vector<BlockExchange>& exchanges(const plan::TrainingParallelism& p, work::DType weights,
                                              work::DType gradients, machine::PriceBook& prices);
  // To the next stage, and alike to the one before. `training` is cut as the blocks are.
  const report::StepCost& message(const TrainingSubject& subject, const Training& training, machine::PriceBook& prices);

  // Of stages with nothing beside. The last one asked for is kept: layouts that differ in what data parallelism shares
  // out have the same.
  const PipelineTimes& pipeline(const plan::ScheduleShape& shape, const StageTable& table, const Sending& sending);

  report::StepCost pass(const StageKind& stage, PassCost BlockCosts::*part, const BesidePass& beside) const;

  // By how much `work`, passes of `stage`, becomes longer when the exchanges of another chunk run beside it: gathers
  // beside forward passes, reductions beside backward passes.
  Seconds longer_beside(const StageKind& stage, PassCost BlockCosts::*part, Seconds work, const StageKind& other,
                        const BesidePass& beside) const;

 private:
  StageCosts price_stages(const StageTable& table) const;
  report::StepCost sum(const StageKind& stage, PassCost BlockCosts::*part) const;

  const RankPlan& plan_;
  const spec::ChipSpec& chip_;
  std::vector<BlockCosts> blocks_;
  std::map<const StageTable*, StageCosts> stages_;
  struct ReplicaKey {
    std::int64_t dp, hsdp_shard;
    plan::ZeroStage zero;
    auto operator<=>(const ReplicaKey&) const = default;
  };
  std::map<ReplicaKey, std::vector<BlockExchange>> exchanges_;
  std::map<std::pair<std::int64_t, std::int64_t>, report::StepCost> messages_;  // by pp and dp
  struct LastPipeline {
    plan::ScheduleShape shape{.pp = 0};
    Sending sending;
    PipelineTimes times;
  } last_;
  std::vector<plan::StageTimes> stage_times_;  // scratch
};

}  // namespace mlosim::predict
