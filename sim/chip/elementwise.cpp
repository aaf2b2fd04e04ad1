// Kernels that are bound by bandwidth: elementwise, norms, softmax, quantisation, gathers, sampling.
//
//   t = fixed + passes·bytes·tb,  with the device memory's efficiency (e⁻⁴ + e_lat⁻⁴)^-¼ and e_lat =
//   in_flight·units/(latency·B): a kernel that keeps too few bytes in flight is bound by latency (Little's law).
// Operands come from the kernel before and are in the cache as far as they fit. A kind with constants of its own has
// them in the chip's `elementwise.kinds` under its name.
#include <algorithm>
#include <cmath>
#include <string>

#include "sim/chip/pricing.hpp"
#include "sim/chip/stream.hpp"

namespace mlosim::chip {
namespace {

const spec::StreamParameters& stream_of(const spec::ElementwiseParameters& elementwise, std::string_view kind) {
  const auto own = elementwise.kinds.find(std::string(kind));
  return own == elementwise.kinds.end() ? elementwise.standard : own->second;
}

// p-norm of two limits of a rate: below the smaller, which binds.
double both_limits(double a, double b) {
  constexpr double kSharpness = 4;
  return std::pow(std::pow(a, -kSharpness) + std::pow(b, -kSharpness), -1 / kSharpness);
}

// `gathered` of the bytes read come from a table that nothing has touched since its last use.
KernelPrice price_stream(const work::OpWork& work, std::string_view kind, Bytes gathered,
                         const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const spec::StreamParameters& stream = stream_of(chip.elementwise, kind);
  const spec::MemoryLevel& memory = chip.device_memory();
  const double units = static_cast<double>(chip.units);
  const double in_flight = stream.in_flight * units / (memory.latency * memory.bandwidth);
  const double efficiency = both_limits(chip.elementwise.memory_efficiency, in_flight);

  const Bytes fresh = work.bytes() - gathered;
  const double fresh_hit = resident_share(chip, work.bytes());
  const double gathered_hit = resident_share(chip, work.bytes() + context.operands.between_uses);
  const Seconds moved = stream_time(chip, fresh * stream.passes, fresh_hit, efficiency) +
                        stream_time(chip, gathered, gathered_hit, efficiency);
  const Seconds vector =
      work.vector / chip.vector_rate() + Seconds(work.exponentials / (chip.exponentials * units * chip.clock.si()));

  KernelPlan plan;
  plan.active_units = units;
  plan.shared_cache = work.bytes();
  plan.device_written = work.written * (1 - fresh_hit);
  plan.device_read = (work.read - gathered) * (1 - fresh_hit) + gathered * (1 - gathered_hit);
  return close_price(context, work, plan,
                     {.matrix = {}, .vector = vector, .l2 = {}, .hbm = moved, .latency = {}, .power = {}},
                     std::max(moved, vector), stream.fixed);
}

// The context of a kernel all of whose operands were written by the one before: nothing is touched in between.
KernelContext right_after_producer(const KernelContext& context) {
  return {.chip = context.chip, .runtime = context.runtime, .operands = {}, .sustained = context.sustained};
}

}  // namespace

KernelPrice price_elementwise(const work::Elementwise& op, const KernelContext& context) {
  return price_stream(work::work_of(op), work::name_of(op.kind), Bytes(0), right_after_producer(context));
}

KernelPrice price_embedding(const work::Embedding& op, const KernelContext& context) {
  const work::OpWork work = work::work_of(op);
  return price_stream(work, "embedding", work.weights, context);
}

KernelPrice price_sampling(const work::Sampling& op, const KernelContext& context) {
  return price_stream(work::work_of(op), "sampling", Bytes(0), right_after_producer(context));
}

}  // namespace mlosim::chip
