#include <algorithm>

#include "sim/chip/flash_attention.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {

KernelPrice price_attention_decode(const work::AttentionDecode& op, const KernelContext& context) {
  const auto d = [](std::int64_t n) { return static_cast<double>(n); };
  const work::OpWork work = work::work_of(op);
  if (context.chip.kind == spec::ChipKind::systolic)
    return price_attention_systolic(work, d(op.batch), AttentionPhase::decode, context);
  const std::int64_t keys = op.window > 0 ? std::min(op.window, op.seq_kv) : op.seq_kv;
  const FlashDecode attention{
      .work = work,
      .groups = d(op.batch) * d(op.kv_heads),
      .queries = (op.heads + op.kv_heads - 1) / op.kv_heads,
      .keys = keys,
      .width = {.key = op.head_dim, .value = op.head_dim},
      .cached = 2 * d(op.batch) * d(keys) * d(op.kv_heads) * d(op.head_dim) * work::bytes_per_element(op.kv_dtype),
      .narrow_cache = work::is_quantised(op.kv_dtype),
  };
  return price_flash_decode(attention, context.chip.decode, context.chip.prefill.exponential_weight, context);
}

}  // namespace mlosim::chip
