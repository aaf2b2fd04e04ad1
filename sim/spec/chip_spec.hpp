// A chip, as hw_specs/chips/<name>.yaml and its family describe it: checked and immutable.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/attention_parameters.hpp"
#include "sim/spec/kernel_parameters.hpp"
#include "sim/spec/moe_parameters.hpp"
#include "sim/spec/node.hpp"
#include "sim/spec/silicon_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/dtype.hpp"

namespace mlosim::spec {

enum class ChipKind {
  simt,      // GPU: many units (SM, CU) that share caches
  systolic,  // TPU and the like: few cores, each with systolic arrays and a scratchpad
};

enum class Sharing { unit, chip };
enum class Policy { scratchpad, cache, memory };

// One level of the memory hierarchy. `capacity` and `bandwidth` are one unit's for Sharing::unit, the chip's otherwise.
struct MemoryLevel {
  std::string name;
  Sharing sharing = Sharing::chip;
  Policy policy = Policy::memory;
  Bytes capacity;
  BytesPerSecond bandwidth;  // datasheet or best measured, read and write together
  Seconds latency;           // load to use, from a unit
  double efficiency = 1;     // of `bandwidth` that a well-written kernel sustains
  // Where units are spread over partitions: bytes of the others cross the link between them, and take longer.
  std::int64_t partitions = 1;
  std::optional<BytesPerSecond> partition_link = std::nullopt;  // all of it; none: as fast as the level
  std::optional<Seconds> far_latency = std::nullopt;            // from another partition
  double reuse_share =
      0.6;  // of a cache's capacity that keeps data from one kernel to the next; near 1 where it is not partitioned

  double far_share() const { return 1 - 1 / static_cast<double>(partitions); }
  // Of addresses that are spread over the partitions evenly.
  Seconds mean_latency() const { return latency + far_share() * (far_latency.value_or(latency) - latency); }
  // The most that all units draw while far_share() of it crosses the link.
  BytesPerSecond far_rate() const;
};

// The systolic arrays of one unit.
struct SystolicArray {
  std::int64_t rows = 0, cols = 0, count = 0;
};

struct LaunchSpec {
  Seconds stream;  // per dependent kernel, launched one by one
  Seconds graph;   // the same in a replayed graph; kernels' fixed times hold it, eager launches add the difference
  Seconds submit;  // host time to submit one kernel
  Seconds step;    // host time of one call of a captured or compiled program, not overlapped
};

struct PowerSpec {
  Watts cap;                    // sustained
  double static_share = 0;      // of the cap, drawn at full clock without work
  double sustained_energy = 1;  // work of a chip that has been busy for seconds, against that of one that is cool: hot
                                // transistors leak, and operands of real networks toggle more
  JoulesPerByte device_memory;  // whole path from the device memory to the unit
  JoulesPerFlop vector;         // fp32 on the vector unit
  std::map<work::DType, JoulesPerFlop> matrix;
  double burst_headroom = 0;  // a short kernel may draw cap·(1 + headroom)
  Seconds burst_window;       // … that fades over this time

  Watts static_power() const { return cap * static_share; }
};

struct ChipSpec {
  std::string name;
  std::string family;
  std::string vendor;
  ChipKind kind = ChipKind::simt;
  Hertz clock;        // highest, at which everything runs until power brings it down
  Hertz rated_clock;  // at which the vendor states the peak rates; MFU is relative to it
  std::int64_t units = 1;
  std::map<work::DType, Flops> matrix;  // per clk and unit, dense
  Flops vector;                         // fp32 per clk and unit
  double exponentials = 0;              // per clk and unit
  SystolicArray array;                  // systolic chips
  std::vector<MemoryLevel> levels;      // innermost first, device memory last
  Bytes usable_memory;                  // of the device memory, for a program
  LaunchSpec launch;
  PowerSpec power;
  BytesPerSecond host_link;  // per direction
  std::optional<DollarsPerSecond> price;
  std::optional<Dollars> capital;  // that buys one
  std::optional<SiliconSpec> silicon;
  GemmFormats gemm;                                          // simt
  Kernels<AttentionPrefillParameters> prefill, mla_prefill;  // simt
  Kernels<AttentionDecodeParameters> decode, mla_decode;     // simt
  Kernels<MoeParameters> moe;                                // simt
  ElementwiseParameters elementwise;
  SystolicParameters systolic;  // systolic

  const MemoryLevel& device_memory() const { return levels.back(); }
  // The named level, or null.
  const MemoryLevel* find_level(std::string_view level) const;
  // The cache nearest the units that all of them share, and the one nearest the device memory; null where there is
  // none.
  const MemoryLevel* first_shared_cache() const;
  const MemoryLevel* last_cache() const;
  // The unit's own scratchpad (shared memory, LDS, VMEM); null where there is none.
  const MemoryLevel* scratchpad() const;

  // Dense rate of the matrix units at a clock; falls back to the vector rate for fp32 and fp64. Empty where the chip
  // cannot.
  std::optional<FlopsPerSecond> matrix_rate(work::DType arithmetic, Hertz at) const;
  std::optional<FlopsPerSecond> matrix_peak(work::DType arithmetic) const {
    return matrix_rate(arithmetic, rated_clock);
  }
  FlopsPerSecond vector_rate() const { return vector * static_cast<double>(units) * clock; }
  // Energy of a multiply or add in that arithmetic, scaled from bf16 by the rates where the chip states none.
  JoulesPerFlop matrix_energy(work::DType arithmetic) const;
};

// Decodes a chip document whose family has been merged in already (see library.hpp).
ChipSpec decode_chip(Node node);

// Decodes again what follows from those members of the document ("hbm", "clock") whose numbers have changed, into what
// was decoded before they did. Not for `levels`, names or the kind, which another chip has.
void decode_chip_again(Node node, std::span<const std::string_view> members, ChipSpec& chip);

}  // namespace mlosim::spec
