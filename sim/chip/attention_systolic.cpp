#include <algorithm>
#include <cmath>

#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

constexpr Bytes kBlock(512 * 1024);  // of keys and values that a step streams
constexpr double kMostBlocks = 64;   // steps of a sequence: finer ones change nothing

}  // namespace

KernelPrice price_attention_systolic(const work::OpWork& work, double sequences, AttentionPhase phase,
                                     const KernelContext& context, Fidelity fidelity) {
  const spec::ChipSpec& chip = context.chip;
  const spec::SystolicParameters& parameters = chip.systolic;
  // Few rows a sequence leave the arrays to the latency of the grid, which the per-sequence time holds.
  const double efficiency =
      parameters.prefill_matrix_efficiency * (phase == AttentionPhase::backward ? parameters.backward_rate : 1);
  const Seconds matrix = phase == AttentionPhase::decode
                             ? Seconds(0)
                             : work.matrix / (require_matrix_rate(chip, work.matrix_dtype) * efficiency);
  const BytesPerSecond rate = chip.device_memory().bandwidth * parameters.decode_memory_efficiency;

  // attention_fixed holds the first block's latency.
  tile::SystolicMachine machine = tile::build_machine(chip);
  machine.in = machine.out = {.latency = Seconds(0), .core = rate, .chip = rate};
  const double cores = static_cast<double>(machine.cores);
  const double blocks = std::clamp(std::ceil(work.read / (sequences * cores * kBlock)), 1.0, kMostBlocks);
  const double steps = sequences * blocks;
  const tile::SystolicGrid grid{.runs = {{{.in = work.read / (steps * cores),
                                           .out = work.written / (steps * cores),
                                           .scalar = 0,
                                           .matrix = matrix * machine.clock / steps},
                                          static_cast<std::int64_t>(blocks)}},
                                .turns = 1};
  // A sequence's blocks are found in its page table first: nothing of the next one is under way before this one ends.
  const Seconds walked = sequences * parameters.decode_per_sequence;
  const Seconds time = walked + sequences * time_grid(machine, grid, fidelity).total;
  const tile::GridParts parts = tile::parts_of(machine, grid);

  KernelPlan plan;
  plan.tiles = sequences;
  plan.waves = sequences;
  plan.active_units = cores;
  plan.device_read = work.read;
  plan.device_written = work.written;
  plan.shared_cache = work.bytes();
  const Seconds power = power_time(chip, dynamic_energy(chip, work, work.bytes()), time, context.sustained);
  const ResourceTimes times{.matrix = sequences * parts.matrix,
                            .vector = {},
                            .l2 = {},
                            .hbm = sequences * parts.memory,
                            .latency = walked,
                            .power = power > time ? power : Seconds(0)};
  return close_price(context, work, plan, times, std::max(time, power), parameters.attention_fixed);
}

}  // namespace mlosim::chip
