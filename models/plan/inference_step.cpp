#include "models/plan/inference_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "models/plan/pointwise.hpp"
#include "models/plan/shard.hpp"
#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

using work::CollectiveKind;

constexpr std::uint32_t kComputeStream = 0;
constexpr std::uint32_t kCommunicationStream = 1;
constexpr work::DType kTokenFormat = work::DType::fp32;  // as wide as the number of a token

double d(std::int64_t n) { return static_cast<double>(n); }

// Rows and columns of what an operator makes of all its rank's tokens: of a partial sum, or of the residual stream.
struct Output {
  std::int64_t rows = 0, cols = 0;

  double elements() const { return d(rows) * d(cols); }
};

Output output_of(const work::Operator& op) {
  if (const auto* gemm = std::get_if<work::Gemm>(&op)) return {gemm->m * gemm->batch, gemm->n};
  if (const auto* moe = std::get_if<work::MoeGemm>(&op)) return {moe->tokens, moe->hidden};
  if (const auto* embedding = std::get_if<work::Embedding>(&op)) return {embedding->tokens, embedding->hidden};
  if (const auto* heads = std::get_if<work::AttentionDecode>(&op))
    return {heads->batch * heads->heads, heads->head_dim};
  if (const auto* latent = std::get_if<work::MlaDecode>(&op)) return {latent->batch * latent->heads, latent->kv_rank};
  return {};
}

// A pass over the residual stream, which all ranks of a tensor-parallel group would do alike.
bool is_residual_pass(const graph::GraphNode& node) {
  return node.partition == graph::Partition::replicated && std::holds_alternative<work::Elementwise>(node.op);
}

// As the first norm of a layer reads it.
Output residual_stream(const graph::Block& layer) {
  const auto& norm = std::get<work::Elementwise>(layer.nodes.front().op);
  return {norm.rows, norm.cols};
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
    if (!block.layers.empty()) scatter(residual_stream(block));
    for (const graph::GraphNode& node : block.nodes) plan_node(block.name, node, tasks);
    return tasks;
  }

  // What the stage before has sent: under sp the next product gathers it.
  std::vector<machine::Task> plan_receive(const Output& tokens) {
    std::vector<machine::Task> tasks;
    if (!is_sequence_parallel())
      add_collective(tasks, "stage", "stage", {CollectiveKind::all_gather, message(tokens), p_.tp}, "all_gather");
    return tasks;
  }

  std::vector<machine::Task> plan_send(const Output& tokens) {
    std::vector<machine::Task> tasks;
    add_collective(
        tasks, "stage", "stage",
        {.kind = CollectiveKind::p2p, .bytes = message(tokens) / d(p_.tp), .ranks = p_.pp, .stride = p_.stage_chips()},
        "send");
    return tasks;
  }

  // The chosen tokens go back to the first stage.
  std::vector<machine::Task> plan_return(std::int64_t sequences) {
    std::vector<machine::Task> tasks;
    add_collective(tasks, "stage", "stage",
                   {.kind = CollectiveKind::p2p,
                    .bytes = d(sequences) * work::bytes_per_element(kTokenFormat),
                    .ranks = 2,
                    .stride = p_.stage_chips() * (p_.pp - 1)},
                   "return");
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

  // Of the compute format where it says nothing else; none among fewer than two ranks.
  struct Exchange {
    CollectiveKind kind;
    Bytes bytes;
    std::int64_t ranks;
    std::int64_t stride = 1;
    std::optional<work::DType> dtype{};
  };
  void add_collective(std::vector<machine::Task>& tasks, const std::string& block, const std::string& node,
                      const Exchange& exchange, std::string_view tail) {
    if (exchange.ranks < 2) return;
    const std::string name =
        node == block ? fmt::format("{}.{}", block, tail) : fmt::format("{}.{}", block, beside(node, tail));
    add(tasks, name,
        work::Collective{.kind = exchange.kind,
                         .bytes = exchange.bytes,
                         .ranks = exchange.ranks,
                         .dtype = exchange.dtype.value_or(precision_.compute),
                         .stride = exchange.stride},
        kCommunicationStream);
  }

  Bytes bytes_of(double elements) const { return elements * work::bytes_per_element(precision_.compute); }

  // Of a micro-batch, to the next stage: the residual stream, and what is still to be added to it.
  Bytes message(const Output& tokens) const {
    return bytes_of(tokens.elements()) * (options_.separate_residual ? 2 : 1);
  }

  bool is_sequence_parallel() const { return p_.sp && p_.tp > 1; }

  // Under sp each rank has a part of these tokens from here on.
  void scatter(const Output& tokens) {
    is_scattered_ = is_sequence_parallel();
    scattered_ = tokens;
  }

  // Partial sums of a row-cut product: added up, and under sp left where the tokens' norms are.
  void reduce(std::vector<machine::Task>& tasks, const std::string& block, const graph::GraphNode& node,
              const Output& out) {
    scatter(out);
    const CollectiveKind kind = is_scattered_ ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce;
    add_collective(tasks, block, node.name, {kind, bytes_of(out.elements()), p_.tp},
                   is_scattered_ ? "reduce_scatter" : "all_reduce");
  }

  // A rank's part of the tokens' norms and additions; all of them are gathered before anything else.
  void cut_or_gather_tokens(std::vector<machine::Task>& tasks, const std::string& block, const graph::GraphNode& node,
                            work::Operator& op) {
    if (!is_scattered_) return;
    if (is_residual_pass(node)) {
      op = cut_rows(std::get<work::Elementwise>(op), p_.tp);
      return;
    }
    is_scattered_ = false;
    add_collective(tasks, block, node.name, {CollectiveKind::all_gather, bytes_of(scattered_.elements()), p_.tp},
                   "tokens.all_gather");
  }

  // Every context-parallel rank needs the keys and values, or the latent, of whole prompts.
  void gather_keys(std::vector<machine::Task>& tasks, const std::string& block, const graph::GraphNode& node) {
    const auto* gemm = std::get_if<work::Gemm>(&node.op);
    if (!gemm || node.kv_columns == 0 || options_.decode) return;
    const double columns = d(node.kv_columns) / d(std::min(p_.tp, node.kv_ways));
    add_collective(tasks, block, node.name,
                   {.kind = CollectiveKind::all_gather,
                    .bytes = bytes_of(d(gemm->m) * d(p_.cp) * columns),
                    .ranks = p_.cp,
                    .stride = p_.cp_stride()},
                   "keys.all_gather");
  }

  // A rank has attended to its part of the cache: results are weighted by the sums of their exponentials.
  void combine_parts(std::vector<machine::Task>& tasks, const std::string& block, const graph::GraphNode& node,
                     const work::Operator& op) {
    if (p_.cp == 1 || !options_.decode || !node.attends) return;
    const Output out = output_of(op);
    add_collective(tasks, block, node.name,
                   {.kind = CollectiveKind::all_gather,
                    .bytes = d(p_.cp) * d(out.rows) * work::bytes_per_element(work::DType::fp32),
                    .ranks = p_.cp,
                    .stride = p_.cp_stride(),
                    .dtype = work::DType::fp32},
                   "sums.all_gather");
    if (!options_.fuses_pointwise) {
      add(tasks, block + "." + beside(node.name, "weighting"),
          work::make_elementwise(work::ElementwiseKind::scale, out.rows, out.cols, precision_.compute,
                                 precision_.compute),
          kComputeStream);
    }
    add_collective(tasks, block, node.name,
                   {.kind = CollectiveKind::all_reduce,
                    .bytes = bytes_of(out.elements()),
                    .ranks = p_.cp,
                    .stride = p_.cp_stride()},
                   "parts.all_reduce");
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
    cut_or_gather_tokens(tasks, block, node, op);
    add(tasks, name, op, kComputeStream);
    gather_keys(tasks, block, node);
    combine_parts(tasks, block, node, op);
    const Output out = output_of(op);
    if (node.partition == graph::Partition::row && (!node.joins_next_reduction || p_.attention_dp > 1))
      reduce(tasks, block, node, out);
    if (node.partition != graph::Partition::vocabulary) return;
    if (std::holds_alternative<work::Embedding>(op)) reduce(tasks, block, node, out);
    if (std::holds_alternative<work::Gemm>(op)) {
      add_collective(tasks, block, node.name,
                     {CollectiveKind::all_gather, bytes_of(d(out.rows) * d(out.cols * p_.tp)), p_.tp}, "all_gather");
    }
  }

  void plan_experts(const std::string& block, const std::string& name, const graph::GraphNode& node,
                    std::vector<machine::Task>& tasks) {
    const auto moe = std::get<work::MoeGemm>(shard(node, p_));
    if (p_.attention_dp == 1) {
      add(tasks, name, moe, kComputeStream);
      if (!node.joins_next_reduction) reduce(tasks, block, node, output_of(moe));
      return;
    }
    const std::int64_t group = p_.tp * p_.attention_dp;
    const double all_tokens = d(moe.tokens), hidden = d(moe.hidden);
    const Bytes in = work::bytes_per_element(precision_.activations), out = work::bytes_per_element(precision_.compute);
    if (p_.ep > 1) {
      // A token travels to each of its experts' groups; the ranks of a tensor-parallel sub-group share the sending.
      const double copies = all_tokens / d(group) * d(std::min(moe.topk, p_.ep)) * hidden;
      add_collective(
          tasks, block, node.name,
          {.kind = CollectiveKind::all_to_all, .bytes = copies * in, .ranks = group, .dtype = precision_.activations},
          "dispatch");
      add(tasks, name, moe, kComputeStream);
      add_collective(tasks, block, node.name, {CollectiveKind::all_to_all, copies * out, group}, "combine");
    } else {
      add_collective(tasks, block, node.name,
                     {.kind = CollectiveKind::all_gather,
                      .bytes = all_tokens * hidden * in,
                      .ranks = group,
                      .dtype = precision_.activations},
                     "all_gather");
      add(tasks, name, moe, kComputeStream);
      add_collective(tasks, block, node.name, {CollectiveKind::reduce_scatter, all_tokens * hidden * out, group},
                     "reduce_scatter");
    }
    // Each rank of a tensor-parallel sub-group has its share of the sub-group's tokens back. Under sp it keeps to them;
    // otherwise all go on with all.
    scatter({moe.tokens / p_.attention_dp, moe.hidden});
    if (is_scattered_) return;
    add_collective(tasks, block, node.name, {CollectiveKind::all_gather, bytes_of(scattered_.elements()), p_.tp},
                   "gather");
  }

  const Parallelism& p_;
  const graph::Precision& precision_;
  const StepOptions& options_;
  machine::Program program_;
  bool is_scattered_ = false;  // each tensor-parallel rank has a part of the tokens
  Output scattered_;           // of all of them
};

// Between two layers.
Output residual_stream(const graph::Graph& graph) {
  const auto layer = std::find_if(graph.blocks.begin(), graph.blocks.end(),
                                  [](const graph::Block& block) { return !block.layers.empty(); });
  MLOSIM_CHECK(layer != graph.blocks.end());
  return residual_stream(*layer);
}

std::int64_t sequences_sampled(const graph::Graph& graph) {
  const auto* sampling = std::get_if<work::Sampling>(&graph.blocks.back().nodes.back().op);
  return sampling ? sampling->rows : 0;
}

void check_stages(const graph::ModelSpec& model, const Parallelism& p, const spec::Node& place) {
  if (p.pp == 1) return;
  if (model.architecture == graph::Architecture::encoder_decoder) {
    place.fail_at("pp", fmt::format("{} is an encoder-decoder: its stages would not be busy alike", model.name),
                  "use tp or dp");
  } else if (p.pp > model.layers) {
    place.fail_at("pp", fmt::format("{} layers do not reach for {} stages", model.layers, p.pp),
                  "cut the model into fewer stages");
  }
}

void check_context_ranks(const graph::ModelSpec& model, const Parallelism& p, std::int64_t prompt,
                         const spec::Node& place) {
  if (p.cp == 1) return;
  if (model.architecture != graph::Architecture::decoder) {
    place.fail_at("cp", "context parallelism is that of causal decoders", "use tp or dp");
  } else if (model.linear) {
    place.fail_at("cp", "linear attention hands a state from token to token: ranks cannot share a sequence",
                  "use tp or dp");
  } else if (model.mla && model.mla->indexer) {
    place.fail_at("cp", "the indexer chooses among all tokens: ranks cannot share a cache", "use tp, dp or ep");
  } else if (prompt < 2 * p.cp) {  // each rank has an early part and a late one
    place.fail_at("cp", fmt::format("a prompt of {} tokens cannot be shared by {} ranks", prompt, p.cp),
                  "cp is for long prompts");
  }
}

}  // namespace

void check_inference(const graph::ModelSpec& model, const Parallelism& p, std::int64_t batch, std::int64_t prompt,
                     const spec::Node& place) {
  check_stages(model, p, place);
  check_context_ranks(model, p, prompt, place);
  if (p.sp && model.architecture == graph::Architecture::encoder_decoder)
    place.fail_at("sp", "the decoder reads all of the encoder's tokens: they are not shared out", "leave it out");
  if (p.sp && p.tp == 1) place.warn("sp divides tokens over the tp ranks; tp is 1, so that it changes nothing");
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

machine::Program plan_inference_stage(const graph::Graph& graph, const InferenceStage& stage,
                                      const Parallelism& parallelism, const graph::Precision& precision,
                                      const StepOptions& options) {
  StepPlanner planner(parallelism, precision, options);
  if (!stage.is_first) planner.run(planner.plan_receive(residual_stream(graph)));
  std::map<std::uint32_t, std::vector<machine::Task>> planned;  // by block
  for (const std::uint32_t block : stage.blocks) {
    if (!planned.contains(block)) planned.emplace(block, planner.plan_block(graph.blocks[block]));
    planner.run(planned.at(block));
  }
  if (!stage.is_last) {
    planner.run(planner.plan_send(residual_stream(graph)));
  } else if (!stage.is_first && sequences_sampled(graph) > 0) {
    planner.run(planner.plan_return(sequences_sampled(graph)));
  }
  return planner.take();
}

machine::Program plan_inference_step(const graph::Graph& graph, const Parallelism& parallelism,
                                     const graph::Precision& precision, const StepOptions& options) {
  return plan_inference_stage(graph, deal_stages(graph, 1).front(), parallelism, precision, options);
}

}  // namespace mlosim::plan
