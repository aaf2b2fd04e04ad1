// Time of bytes that stream through the units once, from the device memory or from a cache that still holds them.
// Used by the cost models of attention, mixture of experts and elementwise kernels; GEMM has a model of its own.
#pragma once

#include "sim/spec/chip_spec.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::chip {

// Share of a footprint that the last cache (a systolic chip's scratchpads, where it has no cache) still holds when the
// footprint is gone through again: 1 / (1 + (footprint / (φ·capacity))⁴). Softer than cyclic_hit_share, since these
// kernels go through several tensors in different orders. Never above capacity / footprint.
double resident_share(const spec::ChipSpec& chip, Bytes footprint);

// The same with a share φ of its own, for data that one kernel reads again while it writes others.
double resident_share(const spec::ChipSpec& chip, Bytes footprint, double share);

// Time of `bytes`, `hit` of which come from the cache: bytes·((1 − hit)/(efficiency·B) + hit/(kReuseRate·B_cache)).
Seconds stream_time(const spec::ChipSpec& chip, Bytes bytes, double hit, double efficiency);

}  // namespace mlosim::chip
