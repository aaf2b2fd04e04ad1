#include "models/plan/inference_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "models/plan/pointwise.hpp"
#include "models/plan/shard.hpp"

namespace mlosim::plan {
namespace {

constexpr std::uint32_t kComputeStream = 0;
constexpr std::uint32_t kCommunicationStream = 1;

// Rows and columns of a partial sum that has to be added up over ranks.
struct Output {
  std::int64_t rows = 0, cols = 0;
};

Output output_of(const work::Operator& op) {
  if (const auto* gemm = std::get_if<work::Gemm>(&op)) return {gemm->m * gemm->batch, gemm->n};
  if (const auto* moe = std::get_if<work::MoeGemm>(&op)) return {moe->tokens, moe->hidden};
  if (const auto* embedding = std::get_if<work::Embedding>(&op)) return {embedding->tokens, embedding->hidden};
  return {};
}

// "attention.out" → "attention.<tail>"; a node without a dot keeps its name in front.
std::string beside(const std::string& node, std::string_view tail) {
  const std::size_t dot = node.rfind('.');
  return fmt::format("{}.{}", dot == std::string::npos ? node : node.substr(0, dot), tail);
}

class StepPlanner {
 public:
  StepPlanner(const Parallelism& parallelism, const graph::Precision& precision, const StepOptions& options)
      : p_(parallelism), precision_(precision), options_(options) {
    program_.launch = options.launch;
    program_.streams = {{"compute", machine::StreamKind::compute},
                        {"communication", machine::StreamKind::communication}};
  }

  // Entries of one block: added to `ops` once, run once for every layer that it stands for.
  std::vector<machine::Task> plan_block(const graph::Block& block) {
    std::vector<machine::Task> tasks;
    for (const graph::GraphNode& node : block.nodes) plan_node(block.name, node, tasks);
    return tasks;
  }

  // Appends a block's tasks; each waits for the one before it.
  void run(const std::vector<machine::Task>& tasks) {
    for (const machine::Task& task : tasks) {
      machine::Task next = task;
      const auto index = static_cast<std::uint32_t>(program_.tasks.size());
      if (index > 0 && program_.tasks.back().stream != next.stream) next.after.push_back(index - 1);
      program_.tasks.push_back(std::move(next));
    }
  }

  machine::Program take() { return std::move(program_); }

 private:
  void add(std::vector<machine::Task>& tasks, std::string name, work::Operator op, std::uint32_t stream) {
    tasks.push_back({.op = static_cast<std::uint32_t>(program_.ops.size()), .stream = stream, .after = {}});
    program_.ops.push_back({std::move(name), std::move(op)});
  }

  void add_collective(std::vector<machine::Task>& tasks, const std::string& block, const std::string& node,
                      work::CollectiveKind kind, Bytes bytes, std::int64_t ranks, work::DType dtype,
                      std::string_view tail) {
    if (ranks < 2) return;
    const std::string name =
        node == block ? fmt::format("{}.{}", block, tail) : fmt::format("{}.{}", block, beside(node, tail));
    add(tasks, name, work::Collective{.kind = kind, .bytes = bytes, .ranks = ranks, .dtype = dtype},
        kCommunicationStream);
  }

  void all_reduce(std::vector<machine::Task>& tasks, const std::string& block, const graph::GraphNode& node,
                  const Output& out) {
    const Bytes bytes =
        static_cast<double>(out.rows) * static_cast<double>(out.cols) * work::bytes_per_element(precision_.compute);
    add_collective(tasks, block, node.name, work::CollectiveKind::all_reduce, bytes, p_.tp, precision_.compute,
                   "all_reduce");
  }

  void plan_node(const std::string& block, const graph::GraphNode& node, std::vector<machine::Task>& tasks) {
    const std::string name = node.name == block ? block : block + "." + node.name;
    if (node.partition == graph::Partition::experts) {
      plan_experts(block, name, node, tasks);
      return;
    }
    if (options_.fuses_pointwise && is_pointwise(node.op)) return;
    work::Operator op = shard(node, p_);
    if (auto* gemm = std::get_if<work::Gemm>(&op); gemm && options_.fuses_quantisation)
      gemm->quantise_activations = false;
    add(tasks, name, op, kComputeStream);
    const Output out = output_of(op);
    if (node.partition == graph::Partition::row && (!node.joins_next_reduction || p_.attention_dp > 1))
      all_reduce(tasks, block, node, out);
    if (node.partition != graph::Partition::vocabulary) return;
    if (std::holds_alternative<work::Embedding>(op)) all_reduce(tasks, block, node, out);
    if (std::holds_alternative<work::Gemm>(op)) {
      const Bytes logits = static_cast<double>(out.rows) * static_cast<double>(out.cols * p_.tp) *
                           work::bytes_per_element(precision_.compute);
      add_collective(tasks, block, node.name, work::CollectiveKind::all_gather, logits, p_.tp, precision_.compute,
                     "all_gather");
    }
  }

  void plan_experts(const std::string& block, const std::string& name, const graph::GraphNode& node,
                    std::vector<machine::Task>& tasks) {
    const auto moe = std::get<work::MoeGemm>(shard(node, p_));
    if (p_.attention_dp == 1) {
      add(tasks, name, moe, kComputeStream);
      if (!node.joins_next_reduction) all_reduce(tasks, block, node, output_of(moe));
      return;
    }
    const std::int64_t group = p_.tp * p_.attention_dp;
    const double all_tokens = static_cast<double>(moe.tokens), hidden = static_cast<double>(moe.hidden);
    const Bytes in = work::bytes_per_element(precision_.activations), out = work::bytes_per_element(precision_.compute);
    if (p_.ep > 1) {
      // A token travels to each of its experts' groups; the ranks of a tensor-parallel sub-group share the sending.
      const double copies =
          all_tokens / static_cast<double>(group) * static_cast<double>(std::min(moe.topk, p_.ep)) * hidden;
      add_collective(tasks, block, node.name, work::CollectiveKind::all_to_all, copies * in, group,
                     precision_.activations, "dispatch");
      add(tasks, name, moe, kComputeStream);
      add_collective(tasks, block, node.name, work::CollectiveKind::all_to_all, copies * out, group, precision_.compute,
                     "combine");
    } else {
      add_collective(tasks, block, node.name, work::CollectiveKind::all_gather, all_tokens * hidden * in, group,
                     precision_.activations, "all_gather");
      add(tasks, name, moe, kComputeStream);
      add_collective(tasks, block, node.name, work::CollectiveKind::reduce_scatter, all_tokens * hidden * out, group,
                     precision_.compute, "reduce_scatter");
    }
    // Each rank of a tensor-parallel sub-group has its share of the sub-group's tokens back; all of them go on with
    // all.
    const double own_tokens = all_tokens / static_cast<double>(p_.attention_dp);
    add_collective(tasks, block, node.name, work::CollectiveKind::all_gather, own_tokens * hidden * out, p_.tp,
                   precision_.compute, "gather");
  }

  const Parallelism& p_;
  const graph::Precision& precision_;
  const StepOptions& options_;
  machine::Program program_;
};

// "layers" of "layers.0".
std::string stack_of(const graph::Block& block) { return block.name.substr(0, block.name.find('.')); }

}  // namespace

void check_inference(const graph::ModelSpec& model, const Parallelism& p, std::int64_t batch, const spec::Node& place) {
  if (p.pp > 1)
    place.fail_at("pp", "pipeline parallelism is not modelled for inference in this version", "use tp, ep or dp");
  if (p.cp > 1)
    place.fail_at("cp", "context parallelism is not modelled for inference in this version", "use tp or dp");
  if (p.sp) place.fail_at("sp", "sequence parallelism is not modelled for inference in this version", "leave it out");
  if (model.heads % p.tp != 0)
    place.fail_at("tp", fmt::format("{} heads cannot be cut {} ways", model.heads, p.tp), "tp must divide the heads");
  if (model.kv_heads > p.tp ? model.kv_heads % p.tp != 0 : p.tp % model.kv_heads != 0) {
    place.fail_at("tp", fmt::format("{} KV heads and tp {} do not divide one another", model.kv_heads, p.tp));
  }
  if (model.moe && model.moe->experts % p.ep != 0)
    place.fail_at("ep", fmt::format("{} experts cannot be spread over {} groups", model.moe->experts, p.ep));
  if (batch % (p.dp * p.attention_dp) != 0) {
    place.fail(fmt::format("a batch of {} does not divide over {} replicas", batch, p.dp * p.attention_dp),
               "make the batch a multiple of dp x attention_dp");
  }
}

machine::Program plan_inference_step(const graph::Graph& graph, const Parallelism& parallelism,
                                     const graph::Precision& precision, const StepOptions& options) {
  StepPlanner planner(parallelism, precision, options);
  // Layers of one stack run in their own order, whatever kinds they are of.
  for (std::size_t first = 0; first < graph.blocks.size();) {
    std::size_t last = first + 1;
    while (last < graph.blocks.size() && !graph.blocks[first].layers.empty() && !graph.blocks[last].layers.empty() &&
           stack_of(graph.blocks[last]) == stack_of(graph.blocks[first])) {
      ++last;
    }
    std::vector<std::vector<machine::Task>> tasks;
    std::map<std::int64_t, std::size_t> order;  // layer → which block
    for (std::size_t b = first; b < last; ++b) {
      tasks.push_back(planner.plan_block(graph.blocks[b]));
      for (const std::int64_t layer : graph.blocks[b].layers) order.emplace(layer, b - first);
    }
    if (order.empty()) planner.run(tasks.front());
    for (const auto& [layer, which] : order) planner.run(tasks[which]);
    first = last;
  }
  return planner.take();
}

}  // namespace mlosim::plan
