// Multi-head latent attention: which flash problem its two forms are. Expanded, every head has keys and values of its
// own; absorbed, all heads share the latent row as key and its first part as value.
#include <algorithm>

#include "sim/chip/flash_attention.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// What libraries choose a kernel of latent attention by.
template <class Op>
spec::KernelCall call_of(const Op& op, std::int64_t queries) {
  spec::KernelCall call{.dtype = op.dtype, .kv_dtype = op.kv_dtype};
  call[spec::CallSize::batch] = op.batch;
  call[spec::CallSize::queries] = queries;
  call[spec::CallSize::keys] = op.seq_kv;
  call[spec::CallSize::heads] = op.heads;
  call[spec::CallSize::group] = op.heads;
  call[spec::CallSize::head_dim] = op.kv_rank + op.rope_dim;
  return call;
}

HeadWidth absorbed_width(std::int64_t kv_rank, std::int64_t rope_dim) {
  return {.key = kv_rank + rope_dim, .value = kv_rank};
}

}  // namespace

KernelPrice price_mla_prefill(const work::MlaPrefill& op, const KernelContext& context, Fidelity fidelity) {
  const spec::AttentionPrefillParameters& parameters =
      context.chip.mla_prefill.of(call_of(op, op.seq_q), context.kernel);
  work::MlaPrefill form = op;
  form.absorbed = op.absorbed || (parameters.absorbed && op.appends);  // without a cache there is no latent to work on
  const work::OpWork work = work::work_of(form);
  if (context.chip.kind == spec::ChipKind::systolic)
    return price_attention_systolic(work, d(op.batch), systolic_phase(op.backward), context, fidelity);

  const double latents = d(op.batch) * d(op.kv_rank + op.rope_dim);
  const double new_rows = d(std::min(op.seq_q, op.seq_kv)),
               earlier_rows = d(std::max<std::int64_t>(0, op.seq_kv - op.seq_q));
  const Bytes in = work::bytes_per_element(op.dtype), cache = work::bytes_per_element(op.kv_dtype);
  // Queries are written and read once more, as are the new latent rows, which enter the cache.
  const double query_elements = d(op.batch) * d(op.seq_q) * d(op.heads) * d(op.nope_dim + op.rope_dim);
  const FlashPrefill attention{
      .work = work,
      .problem = {.seq_q = op.seq_q,
                  .seq_kv = op.seq_kv,
                  .packed = form.absorbed ? op.heads : 1,
                  .causal = true,
                  .window = op.window},
      .problems = form.absorbed ? d(op.batch) : d(op.batch) * d(op.heads),
      .width = form.absorbed ? absorbed_width(op.kv_rank, op.rope_dim)
                             : HeadWidth{.key = op.nope_dim + op.rope_dim, .value = op.value_dim},
      .key = form.absorbed ? d(op.kv_rank + op.rope_dim) * cache : d(op.nope_dim + op.rope_dim + op.value_dim) * in,
      .cached = form.absorbed ? latents * earlier_rows * cache : Bytes(0),
      .append = query_elements * 2 * in + latents * new_rows * (in + cache),
      .uses_cache = op.appends,
      .backward = op.backward,
  };
  return price_flash(plan_flash_prefill(attention, parameters, context), attention.work, context, fidelity);
}

KernelPrice price_mla_decode(const work::MlaDecode& op, const KernelContext& context, Fidelity fidelity) {
  const work::OpWork work = work::work_of(op);
  if (context.chip.kind == spec::ChipKind::systolic)
    return price_attention_systolic(work, d(op.batch), AttentionPhase::decode, context, fidelity);
  const FlashDecode attention{
      .work = work,
      .problems = d(op.batch),
      .queries = op.heads,
      .keys = op.seq_kv,
      .width = absorbed_width(op.kv_rank, op.rope_dim),
      .key = d(op.kv_rank + op.rope_dim) * work::bytes_per_element(op.kv_dtype),
      .cached = d(op.batch) * d(op.seq_kv) * d(op.kv_rank + op.rope_dim) * work::bytes_per_element(op.kv_dtype),
      .hidden = {},
      .all_keys = op.seq_kv,
      .narrow_cache = work::is_quantised(op.kv_dtype),
  };
  const FlashPlan plan = plan_flash_decode(attention, context.chip.mla_decode.of(call_of(op, 1), context.kernel),
                                           context.chip.mla_prefill.standard.exponential_weight, context);
  return price_flash(plan, work, context, fidelity);
}

}  // namespace mlosim::chip
