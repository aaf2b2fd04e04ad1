#include "models/plan/pointwise.hpp"

#include "sim/units/check.hpp"

namespace mlosim::plan {

bool is_pointwise(const work::Operator& op) {
  const auto* elementwise = std::get_if<work::Elementwise>(&op);
  if (!elementwise) return false;
  using work::ElementwiseKind;
  switch (elementwise->kind) {
    case ElementwiseKind::softmax:
    case ElementwiseKind::masked_softmax:
    case ElementwiseKind::softmax_backward:
    case ElementwiseKind::layernorm:
    case ElementwiseKind::rmsnorm:
    case ElementwiseKind::add_layernorm:
    case ElementwiseKind::add_rmsnorm:
    case ElementwiseKind::norm_backward:
    case ElementwiseKind::cross_entropy:
    case ElementwiseKind::cross_entropy_backward:
    case ElementwiseKind::amax_scale:
    case ElementwiseKind::delta_rule:
    case ElementwiseKind::topk_router:
    case ElementwiseKind::row_sum:
    case ElementwiseKind::scatter_add:
    case ElementwiseKind::adam:
      return false;
    case ElementwiseKind::copy:
    case ElementwiseKind::add:
    case ElementwiseKind::mul:
    case ElementwiseKind::scale:
    case ElementwiseKind::div:
    case ElementwiseKind::pow:
    case ElementwiseKind::tanh:
    case ElementwiseKind::gelu:
    case ElementwiseKind::relu:
    case ElementwiseKind::silu:
    case ElementwiseKind::silu_mul:
    case ElementwiseKind::gelu_mul:
    case ElementwiseKind::rope:
    case ElementwiseKind::quantise:
    case ElementwiseKind::cast:
    case ElementwiseKind::dropout:
    case ElementwiseKind::bias_dropout_add:
    case ElementwiseKind::activation_backward:
      return true;
  }
  MLOSIM_CHECK(false);
}

}  // namespace mlosim::plan
