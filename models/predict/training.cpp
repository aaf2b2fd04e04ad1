#include "models/predict/training.hpp"

#include <fmt/format.h>

namespace mlosim::predict {
namespace {

OverlapChoice decode_overlap(spec::Node node) {
  OverlapChoice overlap;
  if (!node.is_present()) return overlap;
  const auto read = [&](const char* key, std::optional<bool>& into) {
    if (node.has(key)) into = node.flag_or(key, true);
  };
  read("grad_reduce", overlap.grad_reduce);
  read("param_gather", overlap.param_gather);
  read("tp", overlap.tp);
  node.finish();
  return overlap;
}

}  // namespace

Training decode_training(spec::Node node) {
  Training t;
  t.global_batch = node.require_count("global_batch");
  t.micro_batch = node.count_or("micro_batch", 1);
  t.sequence = node.require_count("sequence");
  t.recompute = graph::decode_recompute(node.child("recompute"));
  if (node.has("optimizer")) {
    t.optimizer = node.require_word<Optimizer>(
        "optimizer", {{"adam", Optimizer::adam}, {"adamw", Optimizer::adam}, {"sgd", Optimizer::sgd}});
  }
  t.overlap = decode_overlap(node.child("overlap"));
  constexpr double kMostTokens = 1e12, kLongestSequence = 1e9;  // keep products within exact integers
  if (static_cast<double>(t.global_batch) * static_cast<double>(t.sequence) > kMostTokens ||
      static_cast<double>(t.sequence) > kLongestSequence) {
    node.fail(
        fmt::format("a batch of {} sequences of {} tokens is beyond what can be meant", t.global_batch, t.sequence));
    t.global_batch = t.micro_batch = t.sequence = 1;
  }
  if (t.micro_batch > t.global_batch) {
    node.fail_at("micro_batch",
                 fmt::format("a micro-batch of {} is more than the global batch of {}", t.micro_batch, t.global_batch));
    t.micro_batch = 1;
  }
  node.finish();
  return t;
}

}  // namespace mlosim::predict
