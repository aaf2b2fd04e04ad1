// Kernels that are bound by bandwidth: elementwise, norms, softmax, quantisation, gathers, sampling.
//
//   t = fixed + max(‖moved, rows‖, vector),  moved = (passes·bytes + re-read)·tb
// with tb of stream_time and the device memory's efficiency (e⁻⁴ + e_lat⁻⁴)^-¼, e_lat = in_flight·units/(latency·B): a
// kernel that keeps too few bytes in flight is bound by latency (Little's law). Operands come from the kernel before
// and are in the cache as far as footprint·bytes fit. A kind with constants of its own has them in the chip's
// `elementwise.kinds` under its name.
//
// A kind with a `row` gives each row to a block of threads (softmax, norms, gates, quantisation by row):
//   rows    = max(1, rows/slots)·(start + step·steps)·latency,  steps = reads·⌈cols/(threads·vector)⌉
//   slots   = units·min(32, resident_threads/threads)
//   re-read = (reads - 1)·(bytes in)·(1 - hit), the hit of all rows in flight in `row_reuse_share` of the last cache
// Source: torch's softmax_warp_forward, cunn_SoftMaxForward and vectorized_layer_norm_kernel, vLLM's activation and
// quantisation kernels, and their times on V100 to B200. Rows that are not aligned to `vector` are slower than this.
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

constexpr double kMostBlocks = 32;  // that one unit runs at once, whatever their size

// What a kernel that works row by row waits for, and what it fetches again.
struct RowWork {
  Seconds waits;
  Bytes again;
  double slots = 1;  // rows in flight on the whole chip
};

// The block of threads that a row gets.
double block_of(const spec::RowKernel& row, double cols) {
  auto threads = static_cast<double>(row.least_threads);
  while (threads < static_cast<double>(row.threads) && threads * row.vector < cols) threads *= 2;
  return threads;
}

RowWork row_work(const work::Elementwise& op, const spec::RowKernel& row, const spec::ChipSpec& chip) {
  const auto rows = static_cast<double>(op.rows), cols = static_cast<double>(op.cols);
  const double threads = block_of(row, cols);
  const double blocks = std::clamp(static_cast<double>(chip.elementwise.resident_threads) / threads, 1.0, kMostBlocks);
  const double steps = row.reads * ceil_div(cols, threads * row.vector);
  RowWork w;
  w.slots = static_cast<double>(chip.units) * blocks;
  w.waits = std::max(1.0, rows / w.slots) * (row.start + row.step * steps) * chip.device_memory().latency;
  const Bytes in_flight = op.bytes_in * (std::min(rows, w.slots) / rows);
  w.again = (row.reads - 1) * op.bytes_in * (1 - resident_share(chip, in_flight, chip.elementwise.row_reuse_share));
  return w;
}

// p-norm of two limits of a rate: below the smaller, which binds.
double both_limits(double a, double b) {
  constexpr double kSharpness = 4;
  return std::pow(std::pow(a, -kSharpness) + std::pow(b, -kSharpness), -1 / kSharpness);
}

// `gathered` of the bytes read come from a table that nothing has touched since its last use.
struct Stream {
  work::OpWork work;
  const spec::StreamParameters& parameters;
  Bytes gathered{};
  double elements = 0;
  RowWork rows{};
};

KernelPrice price_stream(const Stream& stream, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const work::OpWork& work = stream.work;
  const spec::StreamParameters& parameters = stream.parameters;
  const spec::MemoryLevel& memory = chip.device_memory();
  const double units = static_cast<double>(chip.units);
  const double in_flight = parameters.in_flight * units / (memory.latency * memory.bandwidth);
  const bool waits = stream.rows.waits > Seconds(0);  // for its rows' steps: what it keeps in flight is in there
  const double efficiency = waits ? parameters.memory_efficiency : both_limits(parameters.memory_efficiency, in_flight);

  const Bytes fresh = work.bytes() - stream.gathered;
  const double fresh_hit = resident_share(chip, work.bytes() * parameters.footprint);
  const double gathered_hit = resident_share(chip, work.bytes() + context.operands.between_uses);
  const Seconds moved = stream_time(chip, fresh * parameters.passes, fresh_hit, efficiency) +
                        stream.rows.again * (1 - fresh_hit) / (memory.bandwidth * efficiency) +
                        stream_time(chip, stream.gathered, gathered_hit, efficiency);
  const Seconds vector = std::max(work.vector, stream.elements * parameters.per_element) / chip.vector_rate() +
                         Seconds(work.exponentials / (chip.exponentials * units * chip.clock.si()));
  const Seconds waited = waits ? overlap(parameters.row->overlap_norm, moved, stream.rows.waits) : moved;

  KernelPlan plan;
  plan.active_units = units;
  plan.shared_cache = work.bytes();
  plan.device_written = work.written * (1 - fresh_hit);
  plan.device_read =
      (work.read - stream.gathered + stream.rows.again) * (1 - fresh_hit) + stream.gathered * (1 - gathered_hit);
  return close_price(
      context, work, plan,
      {.matrix = {}, .vector = vector, .l2 = {}, .hbm = moved, .latency = stream.rows.waits, .power = {}},
      std::max(waited, vector), parameters.fixed);
}

// The context of a kernel all of whose operands were written by the one before: nothing is touched in between.
KernelContext right_after_producer(const KernelContext& context) {
  return {.chip = context.chip, .runtime = context.runtime, .operands = {}, .sustained = context.sustained};
}

}  // namespace

KernelPrice price_elementwise(const work::Elementwise& op, const KernelContext& context) {
  const spec::StreamParameters& parameters = stream_of(context.chip.elementwise, work::name_of(op.kind));
  Stream stream{.work = work::work_of(op),
                .parameters = parameters,
                .elements = static_cast<double>(op.rows) * static_cast<double>(op.cols)};
  if (parameters.row && op.cols > parameters.row->register_cols)
    stream.rows = row_work(op, *parameters.row, context.chip);
  return price_stream(stream, right_after_producer(context));
}

KernelPrice price_embedding(const work::Embedding& op, const KernelContext& context) {
  const work::OpWork work = work::work_of(op);
  return price_stream(
      {.work = work, .parameters = stream_of(context.chip.elementwise, "embedding"), .gathered = work.weights},
      context);
}

KernelPrice price_sampling(const work::Sampling& op, const KernelContext& context) {
  return price_stream({.work = work::work_of(op), .parameters = stream_of(context.chip.elementwise, "sampling")},
                      right_after_producer(context));
}

}  // namespace mlosim::chip
