#include <fmt/format.h>

#include <algorithm>

#include "sim/chip/gemm_simt.hpp"
#include "sim/chip/pricing.hpp"

namespace mlosim::chip {
namespace {

constexpr double kChunkBytes = 64;         // granule of k per row
constexpr double kUsableScratchpad = 0.9;  // for stages; the rest holds the epilogue and barriers
constexpr double kMostCopies = 5;          // of the weights in a benchmark loop (measurement protocol)

}  // namespace

GemmProblem pose_gemm(const work::Gemm& op, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const work::OpWork work = work::work_of(op);
  require_matrix_rate(chip, work.matrix_dtype);
  const spec::GemmParameters& g = chip.gemm.of(op.activations, op.weights);
  GemmProblem p{.g = g};
  p.batch = static_cast<double>(op.batch);
  p.m = static_cast<double>(op.m);
  p.n = static_cast<double>(op.n);
  p.k = static_cast<double>(op.k);
  p.ea = work::bytes_per_element(op.activations).si();
  p.ew = work::bytes_per_element(op.weights).si();
  // What is added to passes through the tiles' ends as the result does.
  p.eo = work::bytes_per_element(op.output).si() * (op.accumulates ? 2 : 1);
  p.chunk = kChunkBytes / p.ea;
  p.weights = p.batch * p.n * p.k * p.ew;
  p.activations = p.batch * p.m * p.k * p.ea;
  p.output = p.batch * p.m * p.n * p.eo;
  const auto rate = chip.matrix.find(work.matrix_dtype);
  p.flops_per_clk = (rate != chip.matrix.end() ? rate->second : chip.vector).si();
  p.clock = chip.clock.si();
  const spec::MemoryLevel& l2 = *chip.first_shared_cache();
  const spec::MemoryLevel& hbm = chip.device_memory();
  p.l2_rate = l2.bandwidth.si() * l2.efficiency;
  p.hbm_rate = hbm.bandwidth.si() * hbm.efficiency * g.memory_share;
  p.l2_latency = l2.mean_latency().si() * p.clock;
  p.hbm_latency = hbm.latency.si() * p.clock;
  p.far_rate = l2.far_rate().si();
  p.scratchpad = chip.scratchpad()->capacity.si() * kUsableScratchpad;
  p.stages = g.stages_in_flight;
  const double cache = chip.last_cache()->capacity.si();
  p.half_cache = cache / 2;
  p.units = static_cast<double>(chip.units);
  p.matrix_energy = work.matrix * chip.matrix_energy(work.matrix_dtype);

  // Residency: re-used activations keep warm_share of the cache, weights that are cycled through rotating_share.
  const double own = p.weights + p.activations + p.output;
  double cycle = own + context.operands.between_uses.si();
  if (context.operands.rotates_weights && p.weights <= cache) {
    cycle += p.weights * (std::min(kMostCopies, std::ceil(cache / p.weights) + 1) - 1);
  }
  p.hit_a = cyclic_hit_share(Bytes(own), Bytes(cache * g.warm_share));
  p.hit_w = cyclic_hit_share(Bytes(cycle), Bytes(cache * g.rotating_share));

  if (op.tiling.stages > 0) p.stages = static_cast<double>(op.tiling.stages * op.tiling.tile_k) * p.ea / kStepBytes;
  p.may_multicast = op.tiling.cluster_m * op.tiling.cluster_n != 1;
  return p;
}

Seconds quantiser_time(const work::Gemm& op, const GemmProblem& p, const KernelContext& context) {
  if (!op.quantise_activations) return Seconds(0);
  const spec::Quantiser& one = p.g.quantiser ? *p.g.quantiser : context.runtime.quantiser;
  const spec::Quantiser& q = op.batch > 1 && p.g.batched_quantiser ? *p.g.batched_quantiser : one;
  const double rows = static_cast<double>(op.batch) * static_cast<double>(op.m);
  const Bytes bytes =
      rows * static_cast<double>(op.k) * (work::bytes_per_element(op.output) + work::bytes_per_element(op.activations));
  const Seconds stream = q.passes * bytes / context.chip.device_memory().bandwidth;
  return q.fixed + overlap(p.g.overlap_norm, stream, rows * q.per_row);
}

}  // namespace mlosim::chip
