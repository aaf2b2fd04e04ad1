#include "models/graph/training_backward.hpp"

#include <map>
#include <utility>

#include "sim/units/check.hpp"

namespace mlosim::graph {
namespace {

using work::DType;
using work::Elementwise;
using work::ElementwiseKind;

double d(std::int64_t n) { return static_cast<double>(n); }

constexpr DType kGradientSum = DType::fp32;

// Elements of the compute format that a pass reads and writes for each of its rows × cols.
struct Passes {
  double in = 1, out = 1;
};

// The logits' bytes of cross entropy: fp32 passes of their own, or fused into two.
struct LossBytes {
  Bytes in, out;
};
LossBytes loss_gradient_bytes(bool fused) {
  return fused ? LossBytes{Bytes(4), Bytes(2)} : LossBytes{Bytes(10), Bytes(8)};
}

class Backward {
 public:
  Backward(const StepContext& step, const TrainingOptions& options, const Trace& trace, bool is_first)
      : step_(step), options_(options), trace_(trace), is_first_(is_first) {}

  std::vector<TrainingNode> nodes() {
    for (std::size_t i = trace_.nodes.size(); i-- > 0;) {
      at_ = &trace_.nodes[i];
      std::visit([&](const auto& op) { visit(op); }, at_->node.op);
      for (const TensorIndex tensor : at_->reads) add_gradients(tensor);
    }
    return std::move(nodes_);
  }

 private:
  Bytes element() const { return work::bytes_per_element(step_.precision.compute); }

  void emit(const std::string& tail, work::Operator op, Partition partition, Pass pass) {
    nodes_.push_back({.node = {.name = at_->node.name + tail,
                               .op = std::move(op),
                               .partition = partition,
                               .sequence = at_->node.sequence,
                               .attention_side = at_->node.attention_side},
                      .pass = pass});
  }

  void emit_pass(const std::string& tail, ElementwiseKind kind, Passes passes, Pass pass = Pass::input_gradient) {
    Elementwise op = std::get<Elementwise>(at_->node.op);
    const double elements = d(op.rows) * d(op.cols);
    op.kind = kind;
    op.bytes_in = elements * passes.in * element();
    op.bytes_out = elements * passes.out * element();
    emit(tail, op, at_->node.partition, pass);
  }

  // A tensor with several readers gets the sum of their gradients. Norms that take the residual in add it themselves.
  void add_gradients(TensorIndex index) {
    const Tensor& tensor = trace_.tensors[index];
    if (!tensor.has_gradient || ++arrived_[index] == 1) return;
    if (options_.fuses_residual_norm && is_norm(at_->node.op)) return;
    const auto rows = static_cast<std::int64_t>(tensor.rows), cols = static_cast<std::int64_t>(tensor.cols);
    nodes_.push_back({.node = {.name = at_->node.name + ".gradient_sum",
                               .op = work::make_elementwise(ElementwiseKind::add, rows, cols, step_.precision.compute,
                                                            step_.precision.compute),
                               .partition = tensor.partition,
                               .sequence = tensor.partition == Partition::replicated,
                               .attention_side = at_->node.attention_side},
                      .pass = Pass::input_gradient});
  }

  static bool is_norm(const work::Operator& op) {
    const auto* pass = std::get_if<Elementwise>(&op);
    return pass && (pass->kind == ElementwiseKind::layernorm || pass->kind == ElementwiseKind::rmsnorm ||
                    pass->kind == ElementwiseKind::add_layernorm || pass->kind == ElementwiseKind::add_rmsnorm);
  }

  bool has_bias() const {
    const std::string& name = at_->node.name;
    switch (step_.model.biases) {
      case Biases::none:
        return false;
      case Biases::qkv:
        return name == "attention.qkv";
      case Biases::all:
        return name != "lm_head" && name != "attention.q_b" && name != "attention.kv_b";
    }
    MLOSIM_CHECK(false);
  }

  void quantise_gradient(const std::string& tail, std::int64_t rows, std::int64_t cols, Partition partition,
                         DType format) {
    if (!work::is_quantised(format) || options_.fuses_quantisation) return;
    const double elements = d(rows) * d(cols);
    emit(tail,
         Elementwise{.kind = ElementwiseKind::quantise,
                     .rows = rows,
                     .cols = cols,
                     .dtype = step_.precision.compute,
                     .bytes_in = elements * element(),
                     .bytes_out = 2 * elements * work::bytes_per_element(format)},
         partition, Pass::input_gradient);
    nodes_.back().node.sequence = partition == Partition::replicated;
  }

  void visit(const work::Gemm& g) {
    if (!g.parameters) {
      visit_batched(g);
      return;
    }
    const GraphNode& node = at_->node;
    // The gradient of the output is cut as the output is.
    const Partition out = node.partition == Partition::row ? Partition::replicated : node.partition;
    quantise_gradient(".gradient_quantise", g.m, g.n, out, g.activations);
    if (!is_first_) {
      work::Gemm input = g;
      input.n = g.k;
      input.k = g.n;
      emit(".dgrad", input, input_partition(), Pass::input_gradient);
    }
    if (!options_.trains_weights) return;
    add_weight_gradient(g, out);
  }

  Partition input_partition() const {
    switch (at_->node.partition) {
      case Partition::column:
      case Partition::vocabulary:
        return Partition::row;
      case Partition::row:
        return Partition::column;
      case Partition::replicated:
      case Partition::heads:
      case Partition::experts:
        return at_->node.partition;
    }
    MLOSIM_CHECK(false);
  }

  // n is the side of the matrix that tp cuts, k the tokens.
  void add_weight_gradient(const work::Gemm& g, Partition out) {
    const GraphNode& node = at_->node;
    const bool cuts_inputs = node.partition == Partition::row;
    work::Gemm weight = g;
    weight.m = cuts_inputs ? g.n : g.k;
    weight.n = cuts_inputs ? g.k : g.n;
    weight.k = g.m;
    weight.weights = g.activations;
    weight.parameters = false;
    weight.output = options_.fuses_gradient_accumulation ? kGradientSum : step_.precision.compute;
    weight.accumulates = options_.fuses_gradient_accumulation;
    const Partition partition = cuts_inputs ? Partition::column : node.partition;
    emit(".wgrad", weight, partition, Pass::weight_gradient);
    nodes_.back().reads_input = partition != Partition::replicated && !cuts_inputs;
    if (!cuts_inputs) {
      nodes_.back().node.kv_columns = node.kv_columns;
      nodes_.back().node.kv_ways = node.kv_ways;
    }
    if (!options_.fuses_gradient_accumulation) {
      const double elements = d(weight.m) * d(weight.n);
      emit(".wgrad_add",
           Elementwise{.kind = ElementwiseKind::add,
                       .rows = weight.m,
                       .cols = weight.n,
                       .dtype = kGradientSum,
                       .bytes_in = elements * (element() + work::bytes_per_element(kGradientSum)),
                       .bytes_out = elements * work::bytes_per_element(kGradientSum)},
           partition, Pass::weight_gradient);
      nodes_.back().node.sequence = false;
    }
    if (!has_bias()) return;
    emit(".bias_gradient",
         Elementwise{.kind = ElementwiseKind::row_sum,
                     .rows = g.m,
                     .cols = g.n,
                     .dtype = step_.precision.compute,
                     .bytes_in = d(g.m) * d(g.n) * element(),
                     .bytes_out = {}},
         out, Pass::weight_gradient);
    nodes_.back().node.sequence = out == Partition::replicated;
  }

  // C = A·Bᵀ of activations: the gradient of A is that of C times B, that of B the transposed one times A.
  void visit_batched(const work::Gemm& g) {
    work::Gemm left = g, right = g;
    left.n = g.k;
    left.k = g.n;
    right.m = g.n;
    right.n = g.k;
    right.k = g.m;
    emit(".left_gradient", left, at_->node.partition, Pass::input_gradient);
    emit(".right_gradient", right, at_->node.partition, Pass::input_gradient);
  }

  void visit(work::AttentionPrefill a) {
    a.backward = true;
    emit(".backward", a, at_->node.partition, Pass::input_gradient);
  }
  void visit(work::MlaPrefill a) {
    a.backward = true;
    emit(".backward", a, at_->node.partition, Pass::input_gradient);
  }

  void visit(work::MoeGemm o) {
    const std::int64_t rows = o.tokens * o.topk;
    quantise_gradient(".gradient_quantise", rows, o.hidden + o.inter * (o.gated ? 2 : 1), Partition::experts,
                      o.activations);
    o.pass = work::MoePass::input_gradient;
    emit(".dgrad", o, Partition::experts, Pass::input_gradient);
    if (!options_.trains_weights) return;
    o.pass = work::MoePass::weight_gradient;
    emit(".wgrad", o, Partition::experts, Pass::weight_gradient);
  }

  void visit(const work::Embedding& e) {
    if (!options_.trains_weights) return;
    const double elements = d(e.tokens) * d(e.hidden);
    emit(".wgrad",
         Elementwise{.kind = ElementwiseKind::scatter_add,
                     .rows = e.tokens,
                     .cols = e.hidden,
                     .dtype = kGradientSum,
                     .bytes_in = elements * (element() + work::bytes_per_element(kGradientSum)),
                     .bytes_out = elements * work::bytes_per_element(kGradientSum)},
         Partition::vocabulary, Pass::weight_gradient);
  }

  void visit(const Elementwise& e) {
    switch (e.kind) {
      case ElementwiseKind::layernorm:
      case ElementwiseKind::rmsnorm:
      case ElementwiseKind::add_layernorm:
      case ElementwiseKind::add_rmsnorm:
        // Input and gradient once for the input's gradient, once more for the weights'.
        emit_pass(".backward", ElementwiseKind::norm_backward, {.in = options_.trains_weights ? 4.0 : 2.0, .out = 1});
        return;
      case ElementwiseKind::dropout:
      case ElementwiseKind::bias_dropout_add:
        emit_pass(".backward", ElementwiseKind::dropout, {.in = 1 + Bytes(1) / element(), .out = 1});
        return;
      case ElementwiseKind::masked_softmax:
        emit_pass(".backward", ElementwiseKind::softmax_backward, {.in = 2, .out = 1});
        return;
      case ElementwiseKind::topk_router:
        emit_pass(".backward", ElementwiseKind::softmax_backward, {.in = 4, .out = 2});  // fp32
        return;
      case ElementwiseKind::gelu:
      case ElementwiseKind::relu:
      case ElementwiseKind::silu:
        emit_pass(".backward", ElementwiseKind::activation_backward, {.in = 2, .out = 1});
        return;
      case ElementwiseKind::mul:
      case ElementwiseKind::gelu_mul:
      case ElementwiseKind::silu_mul:
        emit_pass(".backward", ElementwiseKind::activation_backward, {.in = 3, .out = 2});
        return;
      case ElementwiseKind::rope:
        emit_pass(".backward", ElementwiseKind::rope, {.in = 1, .out = 1});
        return;
      case ElementwiseKind::cross_entropy: {
        const LossBytes bytes = loss_gradient_bytes(options_.fuses_cross_entropy);
        emit_pass(".backward", ElementwiseKind::cross_entropy_backward,
                  {.in = bytes.in / element(), .out = bytes.out / element()});
        return;
      }
      case ElementwiseKind::add:
        if (at_->node.name == "position_add" && options_.trains_weights)
          emit_pass(".wgrad", ElementwiseKind::row_sum, {.in = 1, .out = 0}, Pass::weight_gradient);
        return;
      default:
        MLOSIM_CHECK(e.kind == ElementwiseKind::quantise);
    }
  }

  template <class Op>
  void visit(const Op&) {
    MLOSIM_CHECK(false);
  }

  const StepContext& step_;
  const TrainingOptions& options_;
  const Trace& trace_;
  bool is_first_;
  const TracedNode* at_ = nullptr;
  std::map<TensorIndex, int> arrived_;
  std::vector<TrainingNode> nodes_;
};

}  // namespace

std::vector<TrainingNode> backward_nodes(const StepContext& step, const TrainingOptions& options, const Trace& trace,
                                         bool is_first) {
  return Backward(step, options, trace, is_first).nodes();
}

}  // namespace mlosim::graph
