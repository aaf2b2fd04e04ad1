#include <algorithm>

#include "sim/chip/flash_attention.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// Reads and writes Q; reads the new K and V and writes them in the cache's format.
Bytes append_bytes(const work::AttentionPrefill& op) {
  const Bytes in = work::bytes_per_element(op.dtype), out = work::bytes_per_element(op.kv_dtype);
  const double queries = d(op.batch) * d(op.seq_q) * d(op.heads) * d(op.head_dim);
  const double new_kv = d(op.batch) * d(std::min(op.seq_q, op.seq_kv)) * d(op.kv_heads) * d(op.head_dim + op.value_dim);
  return queries * 2 * in + new_kv * (in + out);
}

// Keys and values of positions before this call's first query.
Bytes cached_bytes(const work::AttentionPrefill& op) {
  const double earlier = d(std::max<std::int64_t>(0, work::keys_read(op) - op.seq_q));
  return d(op.batch) * earlier * d(op.kv_heads) * d(op.head_dim + op.value_dim) * work::bytes_per_element(op.kv_dtype);
}

}  // namespace

KernelPrice price_attention_prefill(const work::AttentionPrefill& op, const KernelContext& context, Fidelity fidelity) {
  if (context.chip.kind == spec::ChipKind::systolic)
    return price_attention_systolic(work::work_of(op), d(op.batch), systolic_phase(op.backward), context, fidelity);
  const std::int64_t group = std::max<std::int64_t>(1, op.heads / op.kv_heads);
  spec::KernelCall call{.dtype = op.dtype, .kv_dtype = op.kv_dtype, .window = op.window > 0, .causal = op.causal};
  call[spec::CallSize::batch] = op.batch;
  call[spec::CallSize::queries] = op.seq_q;
  call[spec::CallSize::keys] = op.seq_kv;
  call[spec::CallSize::hidden] = op.window > 0 ? std::max<std::int64_t>(0, op.seq_kv - op.window) : 0;
  call[spec::CallSize::heads] = op.heads;
  call[spec::CallSize::group] = group;
  call[spec::CallSize::head_dim] = op.head_dim;
  const spec::AttentionPrefillParameters& parameters = context.chip.prefill.of(call, context.kernel);
  const std::int64_t packed = op.seq_q <= parameters.packed_queries ? group : 1;
  const FlashPrefill attention{
      .work = work::work_of(op),
      .problem = {.seq_q = op.seq_q, .seq_kv = op.seq_kv, .packed = packed, .causal = op.causal, .window = op.window},
      .problems = d(op.batch) * d(op.heads / packed),
      .sharers = d(group / packed),
      .width = {.key = op.head_dim, .value = op.value_dim},
      .key = d(op.head_dim + op.value_dim) * work::bytes_per_element(op.kv_dtype),
      .cached = cached_bytes(op),
      .append = append_bytes(op),
      .uses_cache = op.causal && op.appends,
      .backward = op.backward,
  };
  return price_flash(plan_flash_prefill(attention, parameters, context), attention.work, context, fidelity);
}

}  // namespace mlosim::chip
