#include <algorithm>

#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {

KernelPrice price_attention_systolic(const work::OpWork& work, double sequences, AttentionPhase phase,
                                     const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const spec::SystolicParameters& parameters = chip.systolic;
  const Seconds matrix =
      work.matrix / (require_matrix_rate(chip, work.matrix_dtype) * parameters.prefill_matrix_efficiency);
  const Seconds memory = work.bytes() / (chip.device_memory().bandwidth * parameters.decode_memory_efficiency);

  KernelPlan plan;
  plan.tiles = sequences;
  plan.waves = sequences;
  plan.active_units = static_cast<double>(chip.units);
  plan.device_read = work.read;
  plan.device_written = work.written;
  plan.shared_cache = work.bytes();
  // Few rows a sequence leave the arrays to the latency of the grid, which the per-sequence time holds.
  const Seconds busy = phase == AttentionPhase::prefill ? std::max(matrix, memory) : memory;
  const Seconds undisturbed = sequences * parameters.decode_per_sequence + busy;
  const Seconds power = power_time(chip, dynamic_energy(chip, work, work.bytes()), undisturbed, context.sustained);
  const ResourceTimes times{.matrix = phase == AttentionPhase::prefill ? matrix : Seconds(0),
                            .vector = {},
                            .l2 = {},
                            .hbm = memory,
                            .latency = sequences * parameters.decode_per_sequence,
                            .power = power > undisturbed ? power : Seconds(0)};
  return close_price(context, work, plan, times, std::max(undisturbed, power), parameters.attention_fixed);
}

}  // namespace mlosim::chip
