#include <algorithm>

#include "sim/chip/flash_attention.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {

KernelPrice price_attention_decode(const work::AttentionDecode& op, const KernelContext& context, Fidelity fidelity) {
  const auto d = [](std::int64_t n) { return static_cast<double>(n); };
  const work::OpWork work = work::work_of(op);
  if (context.chip.kind == spec::ChipKind::systolic)
    return price_attention_systolic(work, d(op.batch), AttentionPhase::decode, context, fidelity);
  const std::int64_t keys = op.window > 0 ? std::min(op.window, op.seq_kv) : op.seq_kv;
  const Bytes key = 2 * d(op.batch) * d(op.kv_heads) * d(op.head_dim) * work::bytes_per_element(op.kv_dtype);
  const FlashDecode attention{
      .work = work,
      .problems = d(op.batch) * d(op.kv_heads),
      .queries = (op.heads + op.kv_heads - 1) / op.kv_heads,
      .keys = keys,
      .width = {.key = op.head_dim, .value = op.head_dim},
      .key = 2 * d(op.head_dim) * work::bytes_per_element(op.kv_dtype),
      .cached = d(keys) * key,
      .hidden = d(op.seq_kv - keys) * key,
      .all_keys = op.seq_kv,
      .narrow_cache = work::is_quantised(op.kv_dtype),
  };
  spec::KernelCall call{.dtype = op.dtype, .kv_dtype = op.kv_dtype, .window = op.window > 0};
  call[spec::CallSize::batch] = op.batch;
  call[spec::CallSize::queries] = 1;
  call[spec::CallSize::keys] = op.seq_kv;
  call[spec::CallSize::hidden] = op.seq_kv - keys;
  call[spec::CallSize::heads] = op.heads;
  call[spec::CallSize::group] = attention.queries;
  call[spec::CallSize::head_dim] = op.head_dim;
  constexpr std::int64_t kBlock = 128;
  call[spec::CallSize::blocks] =
      op.batch * op.kv_heads * std::max<std::int64_t>(1, op.seq_kv / kBlock) * 100 / context.chip.units;
  const FlashPlan plan = plan_flash_decode(attention, context.chip.decode.of(call, context.kernel),
                                           context.chip.prefill.standard.exponential_weight, context);
  return price_flash(plan, work, context, fidelity);
}

}  // namespace mlosim::chip
