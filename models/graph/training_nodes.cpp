// What a training step's forward runs beside the operators of inference.
#include "models/graph/training_trace.hpp"

namespace mlosim::graph {
namespace {

using work::Elementwise;
using work::ElementwiseKind;

bool ends_with(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

constexpr Bytes kMask(1);  // of an element that dropout may drop

// A pass that also reads and writes what `inputs` and `outputs` say per element.
GraphNode pass(const StepContext& step, PassShape shape, Bytes in, Bytes out) {
  GraphNode node = pass_node(step, std::move(shape));
  auto& op = std::get<Elementwise>(node.op);
  const double elements = static_cast<double>(op.rows) * static_cast<double>(op.cols);
  op.bytes_in = elements * in;
  op.bytes_out = elements * out;
  return node;
}

PassShape shape_of(const GraphNode& node, std::string name, ElementwiseKind kind) {
  const auto& op = std::get<Elementwise>(node.op);
  return {.name = std::move(name), .kind = kind, .rows = op.rows, .cols = op.cols, .partition = node.partition};
}

// Quantises and transposes an operand for the products that read it, forward and back.
GraphNode quantise_node(const StepContext& step, PassShape shape, work::DType format) {
  return pass(step, std::move(shape), work::bytes_per_element(step.precision.compute),
              2 * work::bytes_per_element(format));
}

class Completer {
 public:
  Completer(const StepContext& step, const TrainingOptions& options) : step_(step), options_(options) {}

  void add(const GraphNode& node) {
    if (const auto* gemm = std::get_if<work::Gemm>(&node.op)) quantise(node, *gemm);
    if (const auto* experts = std::get_if<work::MoeGemm>(&node.op)) quantise(node, *experts);
    if (const auto* pass = std::get_if<Elementwise>(&node.op)) {
      add_pass(node, *pass);
    } else {
      nodes_.push_back(node);
    }
    if (options_.dropout && node.name == "position_add") add_dropout(node, "embedding_dropout");
  }

  Nodes take() {
    for (GraphNode& node : nodes_) node.sequence = node.partition == Partition::replicated;
    return std::move(nodes_);
  }

 private:
  Bytes element() const { return work::bytes_per_element(step_.precision.compute); }
  bool has_biases() const { return step_.model.biases == Biases::all; }

  void quantise(const GraphNode& node, const work::Gemm& gemm) {
    if (!gemm.parameters || !work::is_quantised(gemm.activations) || options_.fuses_quantisation) return;
    const Partition cut = node.partition == Partition::row ? Partition::column : Partition::replicated;
    nodes_.push_back(quantise_node(step_,
                                   {.name = node.name + ".quantise",
                                    .kind = ElementwiseKind::quantise,
                                    .rows = gemm.m,
                                    .cols = gemm.k,
                                    .partition = cut},
                                   gemm.activations));
  }

  // Rows of experts are as many on every rank: those that its own tokens choose.
  void quantise(const GraphNode& node, const work::MoeGemm& experts) {
    if (!work::is_quantised(experts.activations) || options_.fuses_quantisation) return;
    nodes_.push_back(quantise_node(step_,
                                   {.name = node.name + ".quantise",
                                    .kind = ElementwiseKind::quantise,
                                    .rows = experts.tokens * experts.topk,
                                    .cols = experts.hidden + experts.inter,
                                    .partition = Partition::experts},
                                   experts.activations));
  }

  void add_dropout(const GraphNode& after, std::string name) {
    nodes_.push_back(
        pass(step_, shape_of(after, std::move(name), ElementwiseKind::dropout), element(), element() + kMask));
  }

  void add_pass(const GraphNode& node, const Elementwise& op) {
    if (ends_with(node.name, ".softmax")) {
      // Megatron's kernel scales and masks as well.
      nodes_.push_back(pass(step_, shape_of(node, node.name, ElementwiseKind::masked_softmax), element(), element()));
      if (options_.dropout) add_dropout(node, node.name.substr(0, node.name.size() - 8) + ".dropout");
      return;
    }
    if (ends_with(node.name, ".activation") && has_biases() && !options_.fuses_bias_activation) {
      const std::string name = node.name.substr(0, node.name.size() - 11) + ".bias";
      nodes_.push_back(pass(step_,
                            {.name = name,
                             .kind = ElementwiseKind::add,
                             .rows = op.rows,
                             .cols = op.cols * (step_.model.gated ? 2 : 1),
                             .partition = node.partition},
                            element(), element()));
    }
    if (ends_with(node.name, "residual") && options_.dropout) {
      if (options_.fuses_dropout_add) {
        nodes_.push_back(pass(step_, shape_of(node, node.name, ElementwiseKind::bias_dropout_add), 2 * element(),
                              element() + kMask));
        return;
      }
      add_dropout(node, node.name.substr(0, node.name.size() - 8) + "dropout");
    }
    nodes_.push_back(node);
  }

  const StepContext& step_;
  const TrainingOptions& options_;
  Nodes nodes_;
};

}  // namespace

Nodes training_nodes(const StepContext& step, const TrainingOptions& options, Nodes nodes) {
  Completer completer(step, options);
  for (const GraphNode& node : nodes) completer.add(node);
  return completer.take();
}

}  // namespace mlosim::graph
