#include "models/plan/training_states.hpp"

#include <algorithm>

namespace mlosim::plan {
namespace {

using work::CollectiveKind;
using work::ElementwiseKind;

double d(std::int64_t n) { return static_cast<double>(n); }

// The ranks that hold the same part of a tensor, and which of them share its states out.
struct ReplicaGroup {
  double elements = 0;  // of one rank's part of the tensor
  std::int64_t replicas = 1, shard = 1, stride = 1;
};

std::vector<ReplicaGroup> groups_of(const Parameters& parameters, const TrainingParallelism& p) {
  std::vector<ReplicaGroup> groups;
  const auto add = [&](double elements, std::int64_t replicas, std::int64_t stride) {
    if (elements <= 0) return;
    const std::int64_t shard = p.hsdp_shard > 0 ? std::max<std::int64_t>(1, replicas / p.shard_copies()) : replicas;
    groups.push_back({elements, replicas, shard, stride});
  };
  add(parameters.dense / d(p.tp), p.replicas(), p.dp_stride());
  add(parameters.experts / d(p.ep * p.moe_tp), p.expert_replicas(), p.ep * p.moe_tp);
  return groups;
}

double repeated_parameters(const graph::TrainingBlock& block) {
  double sum = 0;
  for (const graph::TrainingNode& of : block.backward) {
    if (!of.node.sequence || of.node.partition != graph::Partition::replicated) continue;
    const auto* product = std::get_if<work::Gemm>(&of.node.op);
    if (product && of.pass == graph::Pass::weight_gradient) sum += d(product->m) * d(product->n);
    const auto* pass = std::get_if<work::Elementwise>(&of.node.op);
    if (pass && (pass->kind == ElementwiseKind::norm_backward || pass->kind == ElementwiseKind::row_sum))
      sum += d(pass->cols);
  }
  return sum;
}

}  // namespace

Parameters Parameters::of(const graph::TrainingBlock& block) {
  return {.dense = block.parameters, .experts = block.expert_parameters, .repeated = repeated_parameters(block)};
}

void Parameters::add(const Parameters& other, double times) {
  dense += times * other.dense;
  experts += times * other.experts;
  repeated += times * other.repeated;
}

std::vector<work::Collective> parameter_gathers(const Parameters& parameters, const TrainingParallelism& p,
                                                work::DType weights) {
  std::vector<work::Collective> gathers;
  for (const ReplicaGroup& g : groups_of(parameters, p)) {
    if (g.shard < 2) continue;
    gathers.push_back({.kind = CollectiveKind::all_gather,
                       .bytes = g.elements * work::bytes_per_element(weights),
                       .ranks = g.shard,
                       .dtype = weights,
                       .stride = g.stride});
  }
  return gathers;
}

std::vector<work::Collective> gradient_reductions(const Parameters& parameters, const TrainingParallelism& p,
                                                  work::DType gradients) {
  std::vector<work::Collective> reductions;
  for (const ReplicaGroup& g : groups_of(parameters, p)) {
    if (g.replicas < 2) continue;
    const Bytes bytes = g.elements * work::bytes_per_element(gradients);
    if (p.zero == ZeroStage::none) {
      reductions.push_back({.kind = CollectiveKind::all_reduce,
                            .bytes = bytes,
                            .ranks = g.replicas,
                            .dtype = gradients,
                            .stride = g.stride});
      continue;
    }
    if (g.shard > 1) {
      reductions.push_back({.kind = CollectiveKind::reduce_scatter,
                            .bytes = bytes,
                            .ranks = g.shard,
                            .dtype = gradients,
                            .stride = g.stride});
    }
    if (g.replicas > g.shard) {
      reductions.push_back({.kind = CollectiveKind::all_reduce,
                            .bytes = bytes / d(g.shard),
                            .ranks = g.replicas / g.shard,
                            .dtype = gradients,
                            .stride = g.stride * g.shard});
    }
  }
  return reductions;
}

std::vector<work::Collective> repeated_gradient_sums(const Parameters& parameters, const TrainingParallelism& p,
                                                     work::DType gradients) {
  if (!p.sp || p.tp < 2 || parameters.repeated <= 0) return {};
  return {{.kind = CollectiveKind::all_reduce,
           .bytes = parameters.repeated * work::bytes_per_element(gradients),
           .ranks = p.tp,
           .dtype = gradients}};
}

std::vector<work::Collective> copy_sums(const Parameters& parameters, const TrainingParallelism& p,
                                        work::DType gradients) {
  const std::int64_t copies = p.shape(1).copies();
  if (copies < 2) return {};
  double own = 0;
  for (const ReplicaGroup& g : groups_of(parameters, p))
    own += g.elements / (p.zero == ZeroStage::none ? 1 : d(g.shard));
  return {{.kind = CollectiveKind::all_reduce,
           .bytes = own * work::bytes_per_element(gradients),
           .ranks = copies,
           .dtype = gradients,
           .stride = p.pp_stride() * (p.pp - 1)}};  // of the ends, whose way is the longest
}

std::vector<work::Elementwise> optimizer_passes(const Parameters& parameters, const TrainingParallelism& p,
                                                work::DType weights, Optimizer optimizer, work::DType moments) {
  double own = 0;
  for (const ReplicaGroup& g : groups_of(parameters, p))
    own += g.elements / (p.zero == ZeroStage::none ? 1 : d(g.shard));
  const auto elements = std::max<std::int64_t>(1, static_cast<std::int64_t>(own));
  const Bytes wide(4), narrow = work::bytes_per_element(weights);
  const Bytes both = optimizer == Optimizer::adam ? 2 * work::bytes_per_element(moments) : Bytes(0);
  const auto pass = [&](ElementwiseKind kind, Bytes in, Bytes out) {
    return work::Elementwise{.kind = kind,
                             .rows = 1,
                             .cols = elements,
                             .dtype = work::DType::fp32,
                             .bytes_in = own * in,
                             .bytes_out = own * out};
  };
  return {pass(ElementwiseKind::row_sum, wide, Bytes(0)),
          pass(ElementwiseKind::adam, 2 * wide + both, wide + both + narrow),
          pass(ElementwiseKind::copy, Bytes(0), wide)};
}

std::vector<work::Collective> boundary_messages(const graph::ModelSpec& model, const graph::TrainingShape& shape,
                                                const TrainingParallelism& p, work::DType format, bool scatters) {
  const Bytes whole = d(shape.tokens_of_rank()) * d(model.hidden) * work::bytes_per_element(format);
  const bool gathers = scatters && !p.sp && p.tp > 1;
  std::vector<work::Collective> messages{{.kind = CollectiveKind::p2p,
                                          .bytes = p.sp || gathers ? whole / d(p.tp) : whole,
                                          .ranks = p.pp,
                                          .dtype = format,
                                          .stride = p.pp_stride()}};
  if (gathers) messages.push_back({.kind = CollectiveKind::all_gather, .bytes = whole, .ranks = p.tp, .dtype = format});
  return messages;
}

}  // namespace mlosim::plan
