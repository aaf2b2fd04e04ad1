#include "models/plan/training_chunk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "models/plan/overlapped_layers.hpp"
#include "models/plan/pointwise.hpp"
#include "models/plan/shard.hpp"
#include "models/plan/training_states.hpp"
#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

using graph::Partition;
using graph::Pass;
using work::Collective;
using work::CollectiveKind;

constexpr std::uint32_t kCompute = 0, kModelParallel = 1, kDataParallel = 2;

double d(std::int64_t n) { return static_cast<double>(n); }

std::int64_t cut(std::int64_t n, std::int64_t ways) { return (n + ways - 1) / ways; }

// What a pass of the program is called in reports.
std::string name_of(const graph::TrainingBlock& block, const graph::TrainingNode& node) {
  const std::string own = node.node.name == block.name ? block.name : block.name + "." + node.node.name;
  switch (node.pass) {
    case Pass::forward:
      return own;
    case Pass::recompute:
      return "recompute." + own;
    case Pass::input_gradient:
    case Pass::weight_gradient:
      return "backward." + own;
  }
  MLOSIM_CHECK(false);
}

// A rank's part of replicated work on each token.
void cut_sequence(work::Operator& op, Pass pass, std::int64_t ways) {
  if (auto* gemm = std::get_if<work::Gemm>(&op)) {
    std::int64_t& tokens = pass == Pass::weight_gradient ? gemm->k : gemm->m;
    tokens = cut(tokens, ways);
  }
  if (auto* rows = std::get_if<work::Elementwise>(&op)) *rows = cut_rows(*rows, ways);
}

// One layer's tasks, made once and run for each layer that is like it.
struct LayerTasks {
  std::vector<machine::Task> tasks;             // on the compute and model-parallel streams, in order
  std::vector<std::uint32_t> gathers, reduces;  // ops of the data-parallel stream
};

class ChunkPlanner {
 public:
  ChunkPlanner(const graph::TrainingGraph& graph, const ChunkShape& chunk, const TrainingParallelism& p,
               const graph::Precision& precision, const spec::TrainingRuntime& runtime, std::int64_t node_chips)
      : graph_(graph), chunk_(chunk), p_(p), precision_(precision), runtime_(runtime), node_chips_(node_chips) {
    program_.streams = {{"compute", machine::StreamKind::compute},
                        {"model parallel", machine::StreamKind::communication},
                        {"data parallel", machine::StreamKind::communication}};
  }

  machine::Program plan() {
    std::vector<std::uint32_t> blocks = chunk_.blocks;
    if (chunk_.backward) std::reverse(blocks.begin(), blocks.end());
    for (const std::uint32_t b : blocks) {
      if (!layers_.contains(b)) layers_.emplace(b, plan_layer(graph_.blocks[b]));
    }
    for (const std::uint32_t b : chunk_.beside) beside_.push_back(plan_exchanges(graph_.blocks[b]));
    exchange_beside(1 - exposed_.gather, 1 - exposed_.reduce);
    if (!blocks.empty()) gather(layers_.at(blocks[0]), 1 - exposed_.gather);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const LayerTasks& layer = layers_.at(blocks[i]);
      gather(layer, exposed_.gather);
      const std::vector<std::uint32_t> awaited = std::exchange(gathers_, {});
      // What can be hidden of the next layer's gather runs beside this one's work.
      if (i + 1 < blocks.size()) gather(layers_.at(blocks[i + 1]), 1 - exposed_.gather);
      run(layer, awaited);
      reduce(layer);
    }
    exchange_beside(exposed_.gather, exposed_.reduce);
    return std::move(program_);
  }

 private:
  std::uint32_t add_op(std::string name, work::Operator op) {
    program_.ops.push_back({std::move(name), std::move(op)});
    return static_cast<std::uint32_t>(program_.ops.size() - 1);
  }

  void add(LayerTasks& layer, std::string name, work::Operator op) {
    layer.tasks.push_back({.op = add_op(std::move(name), std::move(op)), .stream = kCompute, .after = {}});
  }

  void add_collective(LayerTasks& layer, std::string name, const Collective& op, double exposed) {
    if (op.ranks < 2 || op.bytes <= Bytes(0)) return;
    layer.tasks.push_back({.op = add_op(std::move(name), op),
                           .stream = kModelParallel,
                           .after = {},
                           .exposed = exposed,
                           .hidden = 1 - exposed});
  }

  Collective over_tp(CollectiveKind kind, Bytes bytes) const {
    return {.kind = kind, .bytes = bytes, .ranks = p_.tp, .dtype = precision_.compute};
  }

  Bytes activation(double elements) const { return elements * work::bytes_per_element(precision_.compute); }

  LayerTasks plan_layer(const graph::TrainingBlock& block) {
    LayerTasks layer = chunk_.beside.empty() ? plan_exchanges(block) : LayerTasks{};
    is_gathered_ = false;
    for (const graph::TrainingNode& node : chunk_.backward ? block.backward : block.forward) {
      if (node.pass == Pass::weight_gradient ? chunk_.weight_gradients : chunk_.input_gradients || !chunk_.backward)
        plan_node(block, node, layer);
    }
    return layer;
  }

  LayerTasks plan_exchanges(const graph::TrainingBlock& block) {
    LayerTasks layer;
    const std::string direction = chunk_.backward ? "backward." : "";
    if (chunk_.data_parallel.gathers_parameters) {
      for (const Collective& op : parameter_gathers(Parameters::of(block), p_, precision_.compute))
        layer.gathers.push_back(add_op(fmt::format("{}{}.parameters.gather", direction, block.name), op));
    }
    if (chunk_.data_parallel.reduces_gradients) {
      for (const Collective& op : gradient_reductions(Parameters::of(block), p_, runtime_.reduced_gradients))
        layer.reduces.push_back(add_op(fmt::format("{}{}.gradients.reduce", direction, block.name), op));
    }
    return layer;
  }

  void plan_node(const graph::TrainingBlock& block, const graph::TrainingNode& node, LayerTasks& layer) {
    const std::string name = name_of(block, node);
    if (node.node.partition == Partition::experts) {
      plan_experts(name, node, layer);
      return;
    }
    work::Operator op = shard(node.node, {.tp = p_.tp, .ep = p_.ep, .moe_tp = p_.moe_tp});
    if (runtime_.fuses_elementwise && is_pointwise(op)) return;
    if (p_.sp && node.node.sequence) {
      cut_sequence(op, node.pass, p_.tp);
      is_gathered_ = false;
    }
    if (auto* pass = std::get_if<work::Elementwise>(&op)) {
      pass->bytes_in *= runtime_.pass_bytes;
      pass->bytes_out *= runtime_.pass_bytes;
    }
    gather_sequence(name, node, op, layer);
    gather_keys(name, node, op, layer);
    add(layer, name, op);
    reduce_partial_sum(name, node, op, layer);
  }

  // Sequence-parallel ranks gather the tokens before a product that is cut by columns: once for all products of the
  // same input, and again for their weight gradients (Korthikanti et al., arXiv:2205.05198, §4.2.2).
  void gather_sequence(const std::string& name, const graph::TrainingNode& node, const work::Operator& op,
                       LayerTasks& layer) {
    const auto* gemm = std::get_if<work::Gemm>(&op);
    if (!p_.sp || !gemm) return;
    if (node.reads_input) {
      const Bytes input = activation(d(gemm->k) * d(gemm->m));
      add_collective(layer, name + ".all_gather", over_tp(CollectiveKind::all_gather, input),
                     runtime_.regather_exposed);
      return;
    }
    const bool by_columns = node.node.partition == Partition::column || node.node.partition == Partition::vocabulary;
    if (!gemm->parameters || !by_columns || is_gathered_) return;
    is_gathered_ = true;
    add_collective(layer, name + ".all_gather",
                   over_tp(CollectiveKind::all_gather, activation(d(gemm->m) * d(gemm->k))), runtime_.tp_exposed);
  }

  // Context-parallel ranks gather each other's keys and values; their gradients go back the same way.
  void gather_keys(const std::string& name, const graph::TrainingNode& node, const work::Operator& op,
                   LayerTasks& layer) {
    if (p_.cp == 1) return;
    double elements = 0;
    if (const auto* flash = std::get_if<work::AttentionPrefill>(&op)) {
      // The operator has the mean number of keys of a causal rank's queries; all of the sequence's are gathered.
      const std::int64_t keys = flash->causal ? 2 * flash->seq_kv - flash->seq_q : flash->seq_kv;
      elements = d(flash->batch) * d(keys) * d(flash->kv_heads) * d(flash->head_dim + flash->value_dim);
    } else if (const auto* latent = std::get_if<work::MlaPrefill>(&op)) {
      elements = d(latent->batch) * d(2 * latent->seq_kv - latent->seq_q) * d(latent->kv_rank + latent->rope_dim);
    } else {
      return;
    }
    const Collective gather{.kind = CollectiveKind::all_gather,
                            .bytes = activation(elements),
                            .ranks = p_.cp,
                            .dtype = precision_.compute,
                            .stride = p_.cp_stride()};
    add_collective(layer, name + ".keys.all_gather", gather, runtime_.cp_exposed);
    if (node.pass != Pass::input_gradient) return;
    Collective reduce = gather;
    reduce.kind = CollectiveKind::reduce_scatter;
    add_collective(layer, name + ".keys.reduce_scatter", reduce, runtime_.cp_exposed);
  }

  void reduce_partial_sum(const std::string& name, const graph::TrainingNode& node, const work::Operator& op,
                          LayerTasks& layer) {
    const auto* gemm = std::get_if<work::Gemm>(&op);
    const auto* embedding = std::get_if<work::Embedding>(&op);
    double elements = 0;
    if (gemm && node.node.partition == Partition::row) elements = d(gemm->m) * d(gemm->batch) * d(gemm->n);
    if (embedding && node.node.partition == Partition::vocabulary)
      elements = d(embedding->tokens) * d(embedding->hidden);
    if (elements > 0) {
      is_gathered_ = false;
      const CollectiveKind kind = p_.sp ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce;
      add_collective(layer, name + (p_.sp ? ".reduce_scatter" : ".all_reduce"), over_tp(kind, activation(elements)),
                     runtime_.tp_exposed);
    }
    // The loss needs the largest logit, the sum of exponentials and the label's logit of each token.
    const auto* loss = std::get_if<work::Elementwise>(&op);
    if (loss && loss->kind == work::ElementwiseKind::cross_entropy) {
      add_collective(layer, name + ".all_reduce", over_tp(CollectiveKind::all_reduce, d(loss->rows) * Bytes(3 * 4)), 1);
    }
  }

  // Tokens go to the groups of their experts and back. A token is sent once to a rank, however many of its experts are
  // there: to ep·(1 − (1 − 1/ep)^topk) ranks, were they chosen evenly. Each of the tp ranks sends its part of them;
  // without sequence parallelism all need all that come back.
  void plan_experts(const std::string& name, const graph::TrainingNode& node, LayerTasks& layer) {
    if (auto pass = node.node.op; auto* rows = std::get_if<work::Elementwise>(&pass)) {
      cut_sequence(pass, node.pass, std::max<std::int64_t>(1, p_.tp / p_.moe_tp));
      add(layer, name, *rows);
      return;
    }
    auto moe = std::get<work::MoeGemm>(node.node.op);
    const double own = d(moe.tokens) / d(p_.tp);  // of the tp ranks that share them, each sends its part
    const double sent = own * work::touched_experts(moe.topk, p_.ep, 1);
    moe.ep = p_.ep;
    moe.tp = p_.moe_tp;
    moe.tokens = std::max<std::int64_t>(1, cut(moe.tokens * p_.ep * p_.moe_tp, p_.tp));
    const Collective exchange{.kind = CollectiveKind::all_to_all,
                              .bytes = activation(sent * d(moe.hidden)),
                              .ranks = p_.ep,
                              .dtype = precision_.compute,
                              .stride = p_.moe_tp,
                              .crossing = crossing(moe.topk)};
    const Collective gather{.kind = CollectiveKind::all_gather,
                            .bytes = activation(sent * d(p_.moe_tp) * d(moe.hidden)),
                            .ranks = p_.moe_tp,
                            .dtype = precision_.compute};
    Collective scatter = gather;
    scatter.kind = CollectiveKind::reduce_scatter;
    const Collective all_tokens = over_tp(CollectiveKind::all_gather, activation(own * d(p_.tp) * d(moe.hidden)));
    const bool moves = node.pass != Pass::weight_gradient;
    if (moves) {
      add_collective(layer, name + ".dispatch", exchange, runtime_.ep_exposed);
      const bool has_all_tokens = !p_.sp && p_.ep == 1;
      if (!has_all_tokens) add_collective(layer, name + ".all_gather", gather, runtime_.tp_exposed);
    }
    add(layer, name, moe);
    if (moves && moe.pass != work::MoePass::up) {
      add_collective(layer, name + ".reduce_scatter", scatter, runtime_.tp_exposed);
      add_collective(layer, name + ".combine", exchange, runtime_.ep_exposed);
      if (!p_.sp) add_collective(layer, name + ".tokens.all_gather", all_tokens, runtime_.tp_exposed);
    }
    is_gathered_ = false;
  }

  // A token crosses to a node once, whichever of its ranks have its experts.
  double crossing(std::int64_t topk) const {
    const std::int64_t inside = std::max<std::int64_t>(1, std::min(p_.ep, node_chips_ / p_.moe_tp));
    const std::int64_t nodes = cut(p_.ep, inside);
    if (nodes < 2) return 1;
    const double to_nodes = work::touched_experts(topk, nodes, 1) * d(nodes - 1) / d(nodes);
    const double to_ranks = work::touched_experts(topk, p_.ep, 1) * d(p_.ep - inside) / d(p_.ep);
    return std::min(1.0, to_nodes / to_ranks);
  }

  // Queues a share of a collective on the data-parallel stream, when the layers so far are done.
  std::uint32_t queue(std::uint32_t op, double share) {
    machine::Task task{.op = op, .stream = kDataParallel, .after = {}, .exposed = share};
    if (last_) task.after.push_back(*last_);
    program_.tasks.push_back(std::move(task));
    return static_cast<std::uint32_t>(program_.tasks.size() - 1);
  }

  void gather(const LayerTasks& layer, double share) {
    if (share <= 0) return;
    for (const std::uint32_t op : layer.gathers) gathers_.push_back(queue(op, share));
  }

  void run(const LayerTasks& layer, const std::vector<std::uint32_t>& awaited) {
    bool is_first = true;
    for (machine::Task task : layer.tasks) {
      if (last_ && program_.tasks[*last_].stream != task.stream) task.after.push_back(*last_);
      if (is_first) task.after.insert(task.after.end(), awaited.begin(), awaited.end());
      if (is_first && exposed_reduce_) task.after.push_back(*exposed_reduce_);
      is_first = false;
      program_.tasks.push_back(std::move(task));
      last_ = static_cast<std::uint32_t>(program_.tasks.size() - 1);
    }
    exposed_reduce_.reset();
  }

  void reduce(const LayerTasks& layer) {
    for (const std::uint32_t op : layer.reduces) {
      if (exposed_.reduce > 0) exposed_reduce_ = queue(op, exposed_.reduce);
      if (exposed_.reduce < 1) queue(op, 1 - exposed_.reduce);
    }
  }

  // Shares of another chunk's collectives, which wait for no layer but those that have run.
  void exchange_beside(double gather, double reduce) {
    for (const LayerTasks& layer : beside_) {
      for (const std::uint32_t op : layer.gathers) {
        if (gather > 0) queue(op, gather);
      }
      for (const std::uint32_t op : layer.reduces) {
        if (reduce > 0) queue(op, reduce);
      }
    }
  }

  const graph::TrainingGraph& graph_;
  const ChunkShape& chunk_;
  const TrainingParallelism& p_;
  const graph::Precision& precision_;
  const spec::TrainingRuntime& runtime_;
  std::int64_t node_chips_;
  const ExposedShares exposed_ = exposed_shares(runtime_);
  machine::Program program_;
  std::map<std::uint32_t, LayerTasks> layers_;   // by block
  std::vector<LayerTasks> beside_;               // collectives of another chunk
  bool is_gathered_ = false;                     // the tokens that the next product reads are all on each rank
  std::optional<std::uint32_t> last_;            // task on the compute or model-parallel stream
  std::optional<std::uint32_t> exposed_reduce_;  // that the next layer waits for
  std::vector<std::uint32_t> gathers_;           // queued for the layer that comes next
};

}  // namespace

machine::Program plan_training_chunk(const graph::TrainingGraph& graph, const ChunkShape& chunk,
                                     const TrainingParallelism& p, const graph::Precision& precision,
                                     const spec::TrainingRuntime& runtime, std::int64_t node_chips) {
  return ChunkPlanner(graph, chunk, p, precision, runtime, node_chips).plan();
}

}  // namespace mlosim::plan
