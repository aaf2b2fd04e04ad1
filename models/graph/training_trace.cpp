#include "models/graph/training_trace.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "models/graph/attention_nodes.hpp"
#include "sim/units/check.hpp"

namespace mlosim::graph {
namespace {

using work::Elementwise;
using work::ElementwiseKind;

using Names = std::initializer_list<std::string_view>;

double d(std::int64_t n) { return static_cast<double>(n); }

bool ends_with(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

// A column cut leaves its output cut; all other products and passes but those cut by heads leave it whole.
Partition output_partition(const GraphNode& node) {
  switch (node.partition) {
    case Partition::column:
    case Partition::heads:
    case Partition::experts:
      return node.partition;
    case Partition::vocabulary:
      return std::holds_alternative<work::Gemm>(node.op) ? Partition::vocabulary : Partition::replicated;
    case Partition::replicated:
    case Partition::row:
      return Partition::replicated;
  }
  MLOSIM_CHECK(false);
}

// Walks a block's nodes. A tensor that is written again under its name is another one from then on; readers mean the
// last.
class Tracer {
 public:
  Tracer(const StepContext& step, const TrainingOptions& options) : step_(step), options_(options) {
    stream_ = create("decoder_layer_input", d(step.tokens()), d(step.model.hidden), Partition::replicated);
  }

  void add(const GraphNode& node) {
    at_ = {.node = node, .reads = {}, .writes = {}, .saves = {}};
    std::visit([&](const auto& op) { visit(op); }, node.op);
    trace_.nodes.push_back(std::move(at_));
  }

  Trace take() { return std::move(trace_); }

 private:
  const ModelSpec& model() const { return step_.model; }
  const std::string& name() const { return at_.node.name; }
  Bytes element() const { return work::bytes_per_element(step_.precision.compute); }

  // "moe.shared." of "moe.shared.down": tensors of shared experts are not those of the routed ones.
  std::string prefix() const { return name().starts_with("moe.shared.") ? "shared." : ""; }

  TensorIndex create(std::string name, double rows, double cols, Partition partition) {
    trace_.tensors.push_back({.name = std::move(name),
                              .rows = rows,
                              .cols = cols,
                              .bytes = rows * cols * element(),
                              .partition = partition});
    return trace_.tensors.size() - 1;
  }

  TensorIndex write(std::string name, double rows, double cols) {
    // What had the name keeps it with a mark: MaxText's names are those of the last version.
    for (Tensor& tensor : trace_.tensors) {
      if (tensor.name == name) tensor.name += ".before_" + this->name();
    }
    at_.writes.push_back(create(std::move(name), rows, cols, output_partition(at_.node)));
    return at_.writes.back();
  }

  TensorIndex write_apart(std::string name, double elements, Bytes each, Partition partition) {
    const TensorIndex index = create(std::move(name), elements, 1, partition);
    trace_.tensors[index].bytes = elements * each;
    trace_.tensors[index].has_gradient = false;
    at_.writes.push_back(index);
    return index;
  }

  std::optional<TensorIndex> find(std::string_view name) const {
    for (TensorIndex i = trace_.tensors.size(); i-- > 0;) {
      if (trace_.tensors[i].name == name) return i;
    }
    return std::nullopt;
  }

  // Reads those of the names that exist.
  void read(Names names) {
    for (const std::string_view name : names) {
      if (const auto index = find(name)) at_.reads.push_back(*index);
    }
  }
  // Reads the first of the names that exists.
  void read_first(Names names) {
    for (const std::string_view name : names) {
      if (const auto index = find(name)) {
        at_.reads.push_back(*index);
        return;
      }
    }
    MLOSIM_CHECK(false);
  }

  void save_reads() { at_.saves = at_.reads; }

  // The keys, queries and values of a fused projection, and the gate.
  void write_heads(const work::Gemm& g) {
    const auto rows = d(g.m);
    const AttentionKind kind{.window = 0, .kv_heads = at_.node.kv_ways, .linear = false};
    const double keys = d(model().kv_heads_of(kind) * model().head_dim);
    const double values = d(model().kv_heads_of(kind) * model().v_head_dim);
    const double queries = d(model().heads * model().head_dim);
    write("query_proj", rows, queries);
    write("key_proj", rows, keys);
    write("value_proj", rows, values);
    const double rest = d(g.n) - queries - keys - values;
    if (rest <= 0) return;
    if (name() == "parallel.in") {
      write("mlpwi", rows, rest);
    } else {
      write("attention_gate", rows, rest);
    }
  }

  void visit(const work::Gemm& g) {
    const double rows = d(g.m) * d(g.batch), cols = d(g.n);
    if (!g.parameters) {
      visit_batched(rows, cols);
      save_reads();
      return;
    }
    const std::string tail = name().substr(name().rfind('.') + 1);
    if (name() == "attention.out") {
      read_first({"gated_context", "context"});
      write("out_proj", rows, cols);
    } else if (name() == "parallel.out") {
      read_first({"gated_context", "context"});
      read({"mlp_hidden"});
      write("out_proj", rows, cols);
    } else if (tail == "down") {
      read_first({prefix() == "shared." ? std::string_view("shared.mlp_hidden") : std::string_view("mlp_hidden")});
      write(prefix() + "mlpwo", rows, cols);
    } else if (tail == "q_b") {
      read_first({"query_latent"});
      write("query_proj", rows, cols);
    } else if (tail == "kv_b") {
      read_first({"kv_latent"});
      write("key_value_proj", rows, cols);
    } else if (name() == "lm_head" || name() == "classifier") {
      read_first({"normed"});
      write("logits", rows, cols);
    } else if (name() == "patch_embedding") {
      at_.reads.push_back(0);
      stream_ = write("embedded", rows, cols);
    } else {
      read_first({"normed"});
      write_projection(g, tail, rows, cols);
    }
    save_reads();
  }

  // Of the norm's output.
  void write_projection(const work::Gemm& g, const std::string& tail, double rows, double cols) {
    if (tail == "qkv" || name() == "parallel.in") {
      write_heads(g);
    } else if (tail == "qkv_a" || tail == "kv_a") {
      const MlaShape& a = *model().mla;
      if (a.q_rank > 0) write("query_latent", rows, d(a.q_rank));
      write("kv_latent", rows, d(a.kv_rank + a.rope_dim));
    } else if (tail == "q") {
      write("query_proj", rows, cols);
    } else if (tail == "in_proj") {
      write("qkv_proj", rows, cols);
    } else if (tail == "router") {
      write("router_logits", rows, cols);
    } else {
      MLOSIM_CHECK(tail == "gate_up" || tail == "up");
      write(prefix() + "mlpwi", rows, cols);
    }
  }

  // Products of two activations.
  void visit_batched(double rows, double cols) {
    if (name() == "attention.core.scores") {
      read({"query_proj", "key_proj"});
      write("scores", rows, cols);
    } else if (name() == "attention.core.context") {
      read_first({"dropped_scores", "probabilities"});
      read({"value_proj"});
      write("context", rows, cols);
    } else {  // the chunks of linear attention
      const bool last = name() == "attention.chunk_values";
      read_first({"chunk", "qkv_proj"});
      write(last ? "context" : "chunk", rows, cols);
    }
  }

  void visit(const work::AttentionPrefill& a) {
    read({"query_proj", "key_proj", "value_proj"});
    write_context(d(a.batch * a.seq_q), d(a.heads), d(a.value_dim));
  }
  void visit(const work::MlaPrefill& a) {
    read({"query_proj", "key_value_proj"});
    write_context(d(a.batch * a.seq_q), d(a.heads), d(a.value_dim));
  }
  void write_context(double rows, double heads, double dim) {
    save_reads();
    at_.saves.push_back(write("context", rows, heads * dim));
    at_.saves.push_back(write_apart("softmax_statistics", rows * heads, Bytes(4), Partition::heads));
  }

  // Rows are those that this rank's tokens choose.
  void visit(const work::MoeGemm& o) {
    read({"normed", "router_weights"});
    const double rows = d(o.tokens * o.topk);
    const TensorIndex input = write("expert_rows", rows, d(o.hidden));
    trace_.tensors[input].partition = Partition::replicated;
    at_.saves.push_back(input);
    at_.saves.push_back(write("mlpwi", rows, d(o.inter) * (o.gated ? 2 : 1)));
    at_.saves.push_back(write("mlp_hidden", rows, d(o.inter)));
    if (options_.weighs_expert_outputs) at_.saves.push_back(write("expert_outputs", rows, d(o.hidden)));
    const TensorIndex output = write("mlpwo", d(o.tokens), d(o.hidden));
    trace_.tensors[output].partition = Partition::replicated;
  }

  void visit(const work::Embedding& e) { stream_ = write("embedded", d(e.tokens), d(e.hidden)); }

  void visit(const Elementwise& e) {
    const double rows = d(e.rows), cols = d(e.cols);
    switch (e.kind) {
      case ElementwiseKind::layernorm:
      case ElementwiseKind::rmsnorm:
        visit_norm(rows, cols);
        return;
      case ElementwiseKind::add_layernorm:
      case ElementwiseKind::add_rmsnorm:
        add_to_stream();
        at_.saves.push_back(stream_);
        write("normed", rows, cols);
        return;
      case ElementwiseKind::rope:
        if (model().mla) {
          rewrite({"query_proj"});
        } else {
          rewrite({"query_proj", "key_proj"});
        }
        return;
      case ElementwiseKind::masked_softmax:
        read({"scores"});
        at_.saves.push_back(write("probabilities", rows, cols));
        return;
      case ElementwiseKind::dropout:
        visit_dropout(rows, cols);
        return;
      case ElementwiseKind::bias_dropout_add:
        add_to_stream();
        at_.saves.push_back(write_apart(name() + ".mask", rows * cols, Bytes(1), Partition::replicated));
        return;
      case ElementwiseKind::topk_router:
        read({"router_logits"});
        at_.saves.push_back(write("router_weights", rows, cols * 2));  // fp32
        return;
      case ElementwiseKind::quantise:
        return;  // of a tensor that its product reads as well
      case ElementwiseKind::cross_entropy:
        read({"logits"});
        at_.saves.push_back(options_.fuses_cross_entropy
                                ? at_.reads.front()
                                : write_apart("probabilities", rows * cols, Bytes(4), Partition::vocabulary));
        return;
      default:
        visit_pointwise(rows, cols);
    }
  }

  void visit_norm(double rows, double cols) {
    if (name() == "attention.qk_norm") {
      read({"query_proj", "key_proj"});
      save_reads();
      rewrite({"query_proj", "key_proj"});
      return;
    }
    if (name() == "attention.latent_norm") {
      read({"query_latent", "kv_latent"});
      save_reads();
      rewrite({"query_latent", "kv_latent"});
      return;
    }
    if (name() == "attention.gated_norm") {
      read({"context"});
      save_reads();
      write("gated_context", d(step_.tokens()), rows * cols / d(step_.tokens()));
      return;
    }
    const bool on_branch = model().norms_per_layer == 4 && name().starts_with("post_");
    if (!on_branch) {
      at_.reads.push_back(stream_);
      save_reads();
      write("normed", rows, cols);
      return;
    }
    const std::string branch = name() == "post_attention_norm" ? "out_proj" : "mlpwo";
    read({branch});
    save_reads();
    write(branch, rows, cols);
  }

  void visit_dropout(double rows, double cols) {
    if (name() == "attention.core.dropout") {
      read({"probabilities"});
      write("dropped_scores", rows, cols);
    } else if (name() == "embedding_dropout") {
      at_.reads.push_back(stream_);
      stream_ = write("embedded", rows, cols);
    } else {
      const std::string branch = name().starts_with("attention") ? "out_proj" : "mlpwo";
      read({branch});
      write(branch, rows, cols);
    }
    at_.saves.push_back(write_apart(name() + ".mask", rows * cols, Bytes(1), output_partition(at_.node)));
  }

  void visit_pointwise(double rows, double cols) {
    if (ends_with(name(), ".activation")) {
      const std::string in = prefix() + "mlpwi";
      read({in});
      save_reads();
      write(prefix() + (model().gated && !fuses_gate() ? "mlp_activated" : "mlp_hidden"), rows, cols);
    } else if (ends_with(name(), ".gate") && name() != "attention.gate") {
      const std::string activated = prefix() + "mlp_activated", in = prefix() + "mlpwi";
      read({activated, in});
      save_reads();
      write(prefix() + "mlp_hidden", rows, cols);
    } else if (name() == "attention.gate") {
      read({"context", "attention_gate"});
      save_reads();
      write("gated_context", rows, cols);
    } else if (name() == "attention.conv") {
      read({"qkv_proj"});
      save_reads();
      rewrite({"qkv_proj"});
    } else if (ends_with(name(), ".bias")) {
      const std::string in = prefix() + "mlpwi";
      read({in});
      rewrite({in});
    } else if (name() == "moe.add") {
      read({"mlpwo", "shared.mlpwo"});
      write("mlpwo", rows, cols);
    } else if (name() == "parallel_add") {
      read({"out_proj", "mlpwo"});
      write("mlpwo", rows, cols);
    } else if (name() == "position_add") {
      at_.reads.push_back(stream_);
      stream_ = write("embedded", rows, cols);
    } else {
      MLOSIM_CHECK(ends_with(name(), "residual"));
      add_to_stream();
    }
  }

  bool fuses_gate() const { return options_.fuses_gate_activation; }

  // Writes the last versions of the names anew, of the same size.
  void rewrite(Names names) {
    for (const std::string_view each : names) {
      const auto index = find(each);
      if (!index) continue;
      if (at_.reads.empty() || std::find(at_.reads.begin(), at_.reads.end(), *index) == at_.reads.end())
        at_.reads.push_back(*index);
      const Tensor before = trace_.tensors[*index];
      write(std::string(each), before.rows, before.cols);
      trace_.tensors.back().partition = before.partition;
    }
  }

  // The residual stream goes on as the sum with the branch that has just ended, where one has.
  void add_to_stream() {
    at_.reads.push_back(stream_);
    const auto attention = find("out_proj"), mlp = find("mlpwo");
    const auto branch = mlp ? mlp : attention;
    if (branch) {
      at_.reads.push_back(*branch);
      const Tensor before = trace_.tensors[stream_];
      stream_ = write(name() + ".sum", before.rows, before.cols);
    }
  }

  template <class Op>
  void visit(const Op&) {
    MLOSIM_CHECK(false);  // decoding, sampling and collectives are no part of a training layer
  }

  const StepContext& step_;
  const TrainingOptions& options_;
  Trace trace_;
  TracedNode at_;
  TensorIndex stream_ = 0;
};

}  // namespace

Trace trace_forward(const StepContext& step, const TrainingOptions& options, const Nodes& nodes) {
  Tracer tracer(step, options);
  for (const GraphNode& node : nodes) tracer.add(node);
  return tracer.take();
}

bool is_of_scores(const Tensor& tensor) {
  return tensor.name == "scores" || tensor.name == "probabilities" || tensor.name == "dropped_scores" ||
         tensor.name == "softmax_statistics" || tensor.name == "attention.core.dropout.mask";
}

}  // namespace mlosim::graph
