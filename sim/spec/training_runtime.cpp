#include "sim/spec/training_runtime.hpp"

#include <string_view>

namespace mlosim::spec {
namespace {

double share(Node& node, std::string_view key) {
  const double value = node.require_number(key, Range::non_negative);
  if (value > 1) node.fail_at(key, "is a share: 0 to 1");
  return value;
}

}  // namespace

TrainingRuntime decode_training_runtime(Node node) {
  TrainingRuntime r;
  r.host = node.require_word<TrainingHost>(
      "host",
      {{"in_step", TrainingHost::in_step}, {"ahead", TrainingHost::ahead}, {"captured", TrainingHost::captured}});
  r.submit = node.require<Seconds>("submit", Range::non_negative);
  r.step_overhead = node.require<Seconds>("step_overhead", Range::non_negative);
  r.dropout = node.flag_or("dropout", r.dropout);
  Node fusion = node.require_mapping("fusion");
  r.fused_cross_entropy = fusion.flag_or("cross_entropy", r.fused_cross_entropy);
  r.fuses_elementwise = fusion.flag_or("elementwise", r.fuses_elementwise);
  r.pass_bytes = fusion.require_number("pass_bytes");
  fusion.finish();
  Node exposed = node.require_mapping("exposed");
  r.tp_exposed = share(exposed, "tp");
  r.regather_exposed = share(exposed, "regather");
  r.ep_exposed = share(exposed, "ep");
  r.cp_exposed = share(exposed, "cp");
  r.dp_exposed = share(exposed, "dp");
  exposed.finish();
  Node overlap = node.require_mapping("overlap");
  r.overlaps_grad_reduce = overlap.flag_or("grad_reduce", r.overlaps_grad_reduce);
  r.overlaps_param_gather = overlap.flag_or("param_gather", r.overlaps_param_gather);
  r.overlaps_p2p = overlap.flag_or("p2p", r.overlaps_p2p);
  overlap.finish();
  r.scatters_messages = node.flag_or("scatters_messages", r.scatters_messages);
  r.reduced_gradients = node.require_word<work::DType>(
      "reduced_gradients", {{"fp32", work::DType::fp32}, {"bf16", work::DType::bf16}, {"fp16", work::DType::fp16}});
  Node memory = node.require_mapping("memory");
  r.reserved_memory = memory.require_number("reserved_share", Range::non_negative);
  if (r.reserved_memory >= 1) memory.fail_at("reserved_share", "must be less than 1");
  r.context_memory = memory.require<Bytes>("context", Range::non_negative);
  memory.finish();
  node.finish();
  return r;
}

}  // namespace mlosim::spec
