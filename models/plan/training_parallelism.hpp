// How a training step is spread over chips, as Megatron-LM and its kin do it.
//
// Chips are numbered tensor-parallel rank innermost, then context-, data- and pipeline-parallel. Attention and dense
// layers are cut tp ways; each of `pp` stages holds its share of the layers in `virtual_stages` pieces; cp ranks share
// every sequence; dp replicas share the batch. Experts are spread over ep groups of moe_tp chips, which are taken from
// the tp·cp·dp chips of a stage.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/graph/model.hpp"
#include "models/plan/pipeline_schedule.hpp"
#include "sim/spec/node.hpp"

namespace mlosim::plan {

// What the ranks of a data-parallel group share out among them instead of each holding all of it.
enum class ZeroStage { none, optimizer, gradients, parameters };  // zero: 0, 1, 2, 3 (3: FSDP)

struct TrainingParallelism {
  std::int64_t tp = 1, pp = 1, dp = 1, cp = 1, ep = 1, moe_tp = 1;
  bool sp = false;  // norms and residual branches are cut along the sequence over the tp ranks
  ZeroStage zero = ZeroStage::none;
  std::int64_t hsdp_shard = 0;  // ranks of one sharding group; 0: all of dp·cp
  ScheduleKind schedule = ScheduleKind::one_f_one_b;
  ZeroBubble zero_bubble = ZeroBubble::h1;
  std::int64_t virtual_stages = 1;

  ScheduleShape shape(std::int64_t micro_batches) const {
    return {.kind = schedule,
            .pp = pp,
            .micro_batches = micro_batches,
            .virtual_stages = virtual_stages,
            .zero_bubble = zero_bubble};
  }
  std::int64_t chips() const { return tp * pp * dp * cp; }
  std::int64_t replicas() const { return dp * cp; }  // that sum the gradients of what is no expert
  std::int64_t expert_replicas() const { return tp * dp * cp / (ep * moe_tp); }
  // Ranks that share parameters, gradients or optimiser state out, and copies of that group.
  std::int64_t shard_ranks() const { return hsdp_shard > 0 ? hsdp_shard : replicas(); }
  std::int64_t shard_copies() const { return replicas() / shard_ranks(); }
  std::int64_t expert_shard_ranks() const { return std::max<std::int64_t>(1, expert_replicas() / shard_copies()); }
  // What is shared out comes and goes with every micro-batch: gradients are reduced, and with FSDP the parameters of
  // each layer gathered and dropped again. Beside a pipeline, whose micro-batches are many and small, both are done
  // once a step, and what is gathered or summed up is kept whole until then (Llama 3, arXiv:2407.21783, section 3.3.2).
  bool gathers_in_layers() const { return zero == ZeroStage::parameters && pp == 1; }
  bool reduces_in_layers() const { return zero >= ZeroStage::gradients && pp == 1; }
  // Distance between neighbours of a group in the numbering of the chips.
  std::int64_t cp_stride() const { return tp; }
  std::int64_t dp_stride() const { return tp; }  // of the dp·cp ranks that sum gradients
  std::int64_t pp_stride() const { return tp * cp * dp; }
};

// Decodes the `parallelism:` mapping of a training workload. dp fills `chips` (0: the workload says nothing), with a
// warning where it says something else. Left out: virtual_stages is 1, the schedule 1f1b (interleaved where there are
// virtual stages), moe_tp 1 with experts spread and tp otherwise. Contradictions are diagnostics.
TrainingParallelism decode_training_parallelism(spec::Node node, bool has_moe, std::int64_t chips);

// Checks that the model and the batch can be cut that way; mistakes go to `place`.
void check_training(const graph::ModelSpec& model, const TrainingParallelism& parallelism, std::int64_t global_batch,
                    std::int64_t micro_batch, std::int64_t sequence, const spec::Node& place);
// The same for a search: whether there is none, the sharing out of experts and states included.
bool can_train(const graph::ModelSpec& model, const TrainingParallelism& parallelism, std::int64_t global_batch,
               std::int64_t micro_batch, std::int64_t sequence);

}  // namespace mlosim::plan
