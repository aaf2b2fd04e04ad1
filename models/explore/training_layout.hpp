// Layouts of a training step as numbers: keys of `parallelism:` and `train:` that are laid over a decoded Training
// without reading YAML again, which is what millions of layouts need. Says the same as decode_training_parallelism and
// check_training do of a document; a test holds them to each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/explore/study.hpp"
#include "models/graph/model.hpp"
#include "models/predict/training.hpp"
#include "models/predict/workload.hpp"

namespace mlosim::explore {

enum class LayoutKey {
  tp,
  pp,
  dp,
  cp,
  ep,
  moe_tp,
  sp,
  zero,
  hsdp_shard,
  schedule,
  zero_bubble,
  virtual_stages,
  micro_batch,
  global_batch,
  sequence,
  recompute,
  overlap_grad_reduce,
  overlap_param_gather,
  overlap_tp,
};

// Empty where the path is no key of a layout.
std::optional<LayoutKey> layout_key_at(std::string_view path);

struct LayoutValue {
  std::int64_t number = 0;       // of a count, a flag or a word
  graph::Recompute recompute{};  // of the key recompute
};

// Throws spec::InputError.
LayoutValue decode_layout_value(LayoutKey key, const spec::Value& value);

// A training run whose layout is open: what a point's keys are laid over.
struct OpenLayout {
  predict::Training training;  // with the keys that no axis sets
  std::int64_t chips = 0;      // 0: the product of the degrees
  bool has_moe_tp = false, has_schedule = false;
};

void set_layout_key(LayoutKey key, const LayoutValue& value, OpenLayout& layout);

// Fills in what follows from the keys (dp, moe_tp, schedule). False where no such layout exists for the model.
bool complete_layout(const graph::ModelSpec& model, OpenLayout& layout);

// Whether another layout says the same in a plainer way: a schedule without a pipeline, zero without replicas, overlap
// of what is not there. best_parallelism leaves these out.
bool is_redundant(const OpenLayout& layout);

// The axes that best_parallelism looks at: for each key every value that some layout of the workload on `chips` can
// have, as far as the study's limits let it. Of training all keys of a layout, of inference tp, ep, attention_dp, pp,
// cp, sp; dp follows. Throws spec::InputError for a limit that leaves nothing or is of the other kind.
std::vector<Axis> layout_axes(const Search& search, const predict::Workload& workload,
                              const std::vector<std::int64_t>& chips);

}  // namespace mlosim::explore
