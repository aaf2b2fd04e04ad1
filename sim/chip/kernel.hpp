// A kernel on one chip: what is planned, and what a pricing answers. All three fidelities answer the same struct.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/chip_spec.hpp"
#include "sim/spec/runtime_spec.hpp"
#include "sim/tile/grid.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::chip {

enum class Fidelity { roofline, analytic, event };

std::string_view name_of(Fidelity fidelity);

// What a kernel waits for: the vocabulary of bottlenecks.
enum class Resource {
  matrix_unit,     // tensor cores, MXU
  vector_unit,     // fp32 lanes, special functions
  l2_bandwidth,    // shared cache, or what feeds the units from it
  hbm_bandwidth,   // device memory
  latency,         // dependent accesses and pipeline fill that nothing overlaps
  power,           // the clock is down at the power cap
  launch,          // start and end of kernels
  host,            // submission by the host
  link_bandwidth,  // fabric between chips
  link_latency,    // hops and protocol of collectives
  pipeline,        // other stages, whose results are waited for
};
inline constexpr std::size_t kResources = 11;

std::string_view name_of(Resource resource);

// Lower bounds of a kernel's time, each from one resource at its datasheet or highest rate. No prediction is below any.
struct Bounds {
  Seconds matrix;  // matrix and vector work at the highest clock
  Seconds vector;
  Seconds memory;  // bytes that the caches cannot hold, at the device memory's full rate

  Seconds largest() const;
};

// The plan that a library would run the operator by. Fields that do not apply to a kind of kernel stay 1 or 0.
struct KernelPlan {
  std::int64_t tile_m = 1, tile_n = 1, tile_k = 1;  // of the output, and the k step of its main loop
  std::int64_t units_per_tile = 1;                  // units that work on one tile together
  std::int64_t split = 1;                           // split-K or split-KV
  double tiles = 1;                                 // work items (CTAs, grid steps) in all
  double waves = 1;                                 // rounds of them over the units
  double active_units = 1;
  double per_unit = 1;                // work items of the busiest unit
  double resident = 1;                // that a unit holds at once
  double stages = 0;                  // steps whose operands a work item requests ahead
  int kernels = 1;                    // launches, quantiser and reduction included
  Bytes device_read, device_written;  // at the device memory
  Bytes shared_cache;                 // from the shared cache to the units
  double cache_hit_rate = 0;          // of those that are loads; known once the kernel has been played
};

// "128x256 split 2": for tables; empty for a plan without tiles.
std::string describe(const KernelPlan& plan);

// Shares of what kernels of a chip contend for, taken on average while a task runs its main part (its time less its
// overhead). Each is at most 1.
struct ChipUse {
  double units = 0;   // places for CTAs on the units
  double cache = 0;   // of the first shared cache's sustained bandwidth
  double memory = 0;  // of the device memory's sustained bandwidth
  double link = 0;    // of the fabric's, as far as the algorithm can use it
};

// Where the time of a kernel went, over all places that its units have for CTAs; the parts add up to its time, but for
// what a bound may add.
struct TimeByCause {
  Seconds launch;         // fixed time of its launch and drain
  Seconds fill;           // prologues, until the first operands are there
  Seconds compute;        // the multipliers set the pace
  Seconds load;           // operands were waited for
  Seconds latency;        // barriers and issue between steps
  Seconds store;          // ends of CTAs
  Seconds tail;           // no CTA: the last wave is not full, or uneven
  Seconds power;          // the clock was down
  Seconds other_kernels;  // around it: quantiser, split-K reduction
};

// Where the energy of a kernel went.
struct EnergyByPart {
  Joules static_power;  // drawn without work, over its time
  Joules matrix, vector;
  Joules memory;  // the whole path from the device memory to the units

  Joules total() const { return matrix + vector + memory + static_power; }
  // The same work done on a chip that is `factor` times as hungry.
  void scale_work(double factor) {
    matrix *= factor;
    vector *= factor;
    memory *= factor;
  }
};

// What of a play was left out to stay within KernelContext::max_events.
struct Coarseness {
  double merged_steps = 1;  // that one played step stands for
  double folded_waves = 0;  // equal ones, or problems, that were not played: each takes as long as one that was

  bool any() const { return merged_steps > 1 || folded_waves > 0; }
};

struct KernelPrice {
  Seconds time;
  Seconds overhead;  // part of `time` before and after the work: launch, prologue, epilogue, reduction
  Resource limiter = Resource::latency;  // of the rest
  Bounds bounds;
  Joules energy;  // dynamic and static, over `time`
  EnergyByPart energy_by_part;
  work::OpWork work;  // what it has to do: the compulsory bytes and operations
  KernelPlan plan;
  ChipUse use;
  TimeByCause causes;        // of Fidelity::event
  std::uint64_t events = 0;  // played for it; 0 where it was priced in closed form, as kernels of millions of CTAs are
  Coarseness coarseness;
  // What was played, one grid after the other, where KernelContext::keeps_grids; null where the price is a closed form.
  std::shared_ptr<const std::vector<tile::Grid>> grids;

  // What the kernel as a whole is bound by: its launch and ends, where they are the larger part.
  Resource bound_by() const { return overhead > time * 0.5 ? Resource::launch : limiter; }
};

// What of a kernel's operands is in the caches when it starts.
//   between_uses: bytes that the chip touches between two runs of this very kernel, besides the kernel's own. In a
//   network, all weights and the KV cache; in a benchmark loop, the other copies of the weights (see
//   benchmark_operands).
struct OperandState {
  Bytes between_uses;
  bool rotates_weights = false;  // benchmark loop over up to five copies of the weights, so that they exceed the L2
};

inline constexpr std::int64_t kMaxEvents = 400'000;

// Everything a pricing needs besides the operator.
struct KernelContext {
  const spec::ChipSpec& chip;
  const spec::RuntimeSpec& runtime;
  OperandState operands;
  bool sustained = true;         // the chip has been busy for seconds: no burst above the power cap
  std::string_view kernel = {};  // of the library's, by name, that ran in a benchmark; empty: the library's choice
  std::int64_t max_events = kMaxEvents;  // of the play of one kernel: beyond, steps are coarser and equal waves folded
  bool keeps_grids = false;
};

// Prices one operator on one chip. Collectives are priced by sim/net. Throws spec::InputError where the chip has no
// arithmetic for the operator's format.
KernelPrice price_kernel(const work::Operator& op, const KernelContext& context, Fidelity fidelity);

// A plan that the library weighs against others.
struct PlanEstimate {
  KernelPlan plan;
  Seconds time;        // of the whole kernel, in closed form
  Seconds preference;  // what the library compares: a plan that splits k must be faster by a margin
};

// The `count` plans that the library would like best, the one that it takes first. Empty for operators, and on chips,
// whose plan is not searched for but follows from the shape. Throws as price_kernel.
std::vector<PlanEstimate> best_plans(const work::Operator& op, const KernelContext& context, std::size_t count);

}  // namespace mlosim::chip
