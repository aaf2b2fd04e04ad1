// How a workload is spread over chips.
//
// Inference: `dp` replicas of pp stages of cp groups of tp·attention_dp chips, numbered from the inside: tp,
// attention_dp, cp, pp, dp. Attention and dense layers are cut tp ways and, under attention_dp, each of the
// attention_dp sub-groups has its own sequences; MoE layers spread over the whole group as ep expert groups of moe_tp
// chips each. The cp groups share every sequence's tokens and its cache, and each has the stage's weights whole (vLLM's
// prefill context parallelism).
#pragma once

#include <cstdint>

#include "sim/spec/node.hpp"

namespace mlosim::plan {

struct Parallelism {
  std::int64_t tp = 1, pp = 1, dp = 1, cp = 1, ep = 1, moe_tp = 1, attention_dp = 1;
  bool sp = false;  // tokens' norms and residual additions are shared out over the tp ranks

  // Chips of one replica.
  std::int64_t group() const { return tp * pp * cp * attention_dp; }
  std::int64_t chips() const { return group() * dp; }
  std::int64_t stage_chips() const { return tp * cp * attention_dp; }
  // Distance between neighbours of a context-parallel group in the numbering of the chips.
  std::int64_t cp_stride() const { return tp * attention_dp; }
};

// Decodes the `parallelism:` mapping and completes it: moe_tp follows from ep, attention_dp from ep where tp leaves it
// open. `has_moe` says whether ep means anything. An absent mapping is tensor parallelism over `chips`. Contradictions
// are diagnostics.
Parallelism decode_parallelism(spec::Node node, bool has_moe, std::int64_t chips = 1);

// Fits a parallelism to a number of chips that was asked for: more chips become replicas, fewer a smaller tp where tp
// is all there is; the node gets a warning that says so, or a diagnostic where neither works.
Parallelism fit_to_chips(Parallelism parallelism, std::int64_t chips, const spec::Node& place);

}  // namespace mlosim::plan
