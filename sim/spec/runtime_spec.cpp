#include "sim/spec/runtime_spec.hpp"

namespace mlosim::spec {
namespace {

CustomAllReduce::Case decode_custom_case(Node& node) {
  CustomAllReduce::Case c;
  c.family = node.text_or("family", "");
  if (node.has("ranks")) c.ranks = node.require_count("ranks", 2);
  if (node.has("start")) c.start = node.require_number("start");
  if (node.has("largest")) c.largest = node.require<Bytes>("largest", Range::non_negative);
  node.finish();
  return c;
}

}  // namespace

CustomAllReduce decode_custom_all_reduce(Node node) {
  CustomAllReduce c{
      .start = node.require_number("start"),
      .hop = node.require_number("hop", Range::non_negative),
      .second_shot = node.require_number("second_shot", Range::non_negative),
      .one_shot_efficiency = node.require_number("one_shot_efficiency", Range::fraction),
      .two_shot_efficiency = node.require_number("two_shot_efficiency", Range::fraction),
      .blocks = node.require_count("blocks"),
      .largest = node.require<Bytes>("largest"),
      .pcie_ranks = node.count_or("pcie_ranks", 0),
      .cases = {},
  };
  for (Node& item : node.child("cases").items()) c.cases.push_back(decode_custom_case(item));
  node.finish();
  return c;
}

namespace {

// What a stack that only trains has no need of.
void decode_inference(Node& node, RuntimeSpec& r) {
  Node launch = node.require_mapping("launch");
  const Node::Words<LaunchPath> paths{
      {"eager", LaunchPath::eager}, {"graph", LaunchPath::graph}, {"compiled", LaunchPath::compiled}};
  r.decode_launch = launch.require_word<LaunchPath>("decode", paths);
  r.prefill_launch = launch.require_word<LaunchPath>("prefill", paths);
  launch.finish();
  r.step_overhead = node.require<Seconds>("step_overhead", Range::non_negative);
  Node memory = node.require_mapping("memory");
  r.reserved_memory = memory.require_number("reserved_share", Range::non_negative);
  if (r.reserved_memory >= 1) memory.fail_at("reserved_share", "must be less than 1");
  r.context_memory = memory.require<Bytes>("context", Range::non_negative);
  memory.finish();
  r.quantiser = decode_quantiser(node.require_mapping("quantiser"));
  if (node.has("custom_all_reduce")) r.custom_all_reduce = decode_custom_all_reduce(node.child("custom_all_reduce"));
}

}  // namespace

RuntimeSpec decode_runtime(Node node) {
  RuntimeSpec r;
  node.expect_schema("mlosim/runtime/1");
  r.name = node.require_text("name");
  node.text_or("description", "");
  for (const Node& vendor : node.child("vendors").items()) r.vendors.push_back(vendor.as_text());
  // Read when a runtime is chosen (hardware.cpp).
  for (const char* key : {"default_for", "trains_by_default_for", "also_called"}) node.child(key);
  if (node.has("training")) r.training = decode_training_runtime(node.child("training"));
  r.fused_attention = node.flag_or("fused_attention", r.fused_attention);
  Node fusion = node.require_mapping("fusion");
  r.fuses_residual_norm = fusion.flag_or("residual_norm", r.fuses_residual_norm);
  r.fuses_gate_activation = fusion.flag_or("gate_activation", r.fuses_gate_activation);
  r.fuses_rope = fusion.flag_or("rope", r.fuses_rope);
  r.fuses_elementwise = fusion.flag_or("elementwise", r.fuses_elementwise);
  r.fuses_quantisation = fusion.flag_or("quantisation", r.fuses_quantisation);
  fusion.finish();
  if (!r.training || node.has("launch")) decode_inference(node, r);
  node.child("families");  // laid over the chip before it is decoded (hardware.cpp)
  node.finish();
  return r;
}

}  // namespace mlosim::spec
