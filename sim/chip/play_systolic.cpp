// Kernels of systolic chips by events. Matrix products and attention play the very grid that their closed form prices;
// bandwidth-bound kernels, whose closed form has no steps, play a grid of blocks of their rows.
#include <algorithm>
#include <cmath>
#include <string>

#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"
#include "sim/chip/systolic.hpp"
#include "sim/tile/systolic_core.hpp"
#include "sim/units/check.hpp"

namespace mlosim::chip {
namespace {

// A kernel that streams its operands through the lanes.
struct StreamWork {
  work::OpWork work;
  const spec::StreamParameters& parameters;
  Bytes gathered;        // rows picked from a table that lives on between calls
  double registers = 0;  // of 8 × 128 elements, each reduced over its lanes
};

const spec::StreamParameters& stream_of(const spec::ElementwiseParameters& elementwise, std::string_view kind) {
  const auto own = elementwise.kinds.find(std::string(kind));
  return own == elementwise.kinds.end() ? elementwise.standard : own->second;
}

// Clk that the permuters need for the reductions over lanes; nothing where the chip's are not known.
double permute_clk(const spec::ChipSpec& chip, double registers) {
  const auto lanes = chip.systolic.units.find("lane_permute");
  return lanes == chip.systolic.units.end() ? 0 : registers * lanes->second.interval;
}

KernelPrice play_stream(const StreamWork& stream, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const work::OpWork& work = stream.work;
  const double fresh_hit = resident_share(chip, work.bytes());
  const double gathered_hit = resident_share(chip, work.bytes() + context.operands.between_uses);
  const double passes = stream.parameters.passes;
  const Bytes read = passes * (work.read - stream.gathered) * (1 - fresh_hit) + stream.gathered * (1 - gathered_hit);
  const Bytes written = passes * work.written * (1 - fresh_hit);

  tile::SystolicMachine machine = tile::build_machine(chip);
  const double efficiency = stream.parameters.memory_efficiency / chip.systolic.memory_efficiency;
  for (tile::DmaPath* path : {&machine.in, &machine.out}) {
    path->core *= efficiency;
    path->chip *= efficiency;
    path->latency *= 1 - fresh_hit;  // what is in the scratchpad is not waited for
  }
  const double cores = static_cast<double>(machine.cores);
  const double steps = std::max(1.0, std::ceil(std::max(read, written) / (cores * stream.parameters.in_flight)));
  const double each = steps * cores;
  const double lanes = std::max(work.vector / machine.vector * machine.clock, work.exponentials / machine.exponentials);
  const tile::SystolicGrid grid{.runs = {{{.in = read / each,
                                           .out = written / each,
                                           .scalar = machine.step,
                                           .vector = lanes / each,
                                           .permute = permute_clk(chip, stream.registers) / each},
                                          1}},
                                .turns = static_cast<std::int64_t>(steps)};
  // The kernel's fixed time holds its first step's.
  const Seconds time = tile::play_grid(machine, grid).time - machine.cycles(machine.step);
  const tile::GridParts parts = tile::parts_of(machine, grid);

  KernelPlan plan;
  plan.tiles = each;
  plan.waves = steps;
  plan.active_units = cores;
  plan.shared_cache = work.bytes();
  plan.device_read = read;
  plan.device_written = written;
  return close_price(
      context, work, plan,
      {.matrix = {}, .vector = parts.vector, .l2 = {}, .hbm = parts.memory, .latency = parts.scalar, .power = {}}, time,
      stream.parameters.fixed);
}

bool reduces_rows(work::ElementwiseKind kind) {
  switch (kind) {
    case work::ElementwiseKind::softmax:
    case work::ElementwiseKind::masked_softmax:
    case work::ElementwiseKind::softmax_backward:
    case work::ElementwiseKind::layernorm:
    case work::ElementwiseKind::rmsnorm:
    case work::ElementwiseKind::norm_backward:
      return true;
    default:
      return false;
  }
}

// All operands of such a kernel were written by the one before: nothing is touched in between.
KernelContext right_after_producer(KernelContext context) {
  context.operands = {};
  return context;
}

}  // namespace

tile::GridTime time_grid(const tile::SystolicMachine& machine, const tile::SystolicGrid& grid, Fidelity fidelity) {
  tile::GridTime time = tile::estimate_grid(machine, grid);
  if (fidelity == Fidelity::event) time.total = tile::play_grid(machine, grid).time;
  return time;
}

KernelPrice play_elementwise_systolic(const work::Elementwise& op, const KernelContext& context) {
  return play_stream({.work = work::work_of(op),
                      .parameters = stream_of(context.chip.elementwise, work::name_of(op.kind)),
                      .gathered = {},
                      .registers = reduces_rows(op.kind) ? std::ceil(static_cast<double>(op.rows) / 8) : 0},
                     right_after_producer(context));
}

KernelPrice play_embedding_systolic(const work::Embedding& op, const KernelContext& context) {
  const work::OpWork work = work::work_of(op);
  return play_stream(
      {.work = work, .parameters = stream_of(context.chip.elementwise, "embedding"), .gathered = work.weights},
      context);
}

KernelPrice play_sampling_systolic(const work::Sampling& op, const KernelContext& context) {
  return play_stream(
      {.work = work::work_of(op), .parameters = stream_of(context.chip.elementwise, "sampling"), .gathered = {}},
      right_after_producer(context));
}

}  // namespace mlosim::chip
