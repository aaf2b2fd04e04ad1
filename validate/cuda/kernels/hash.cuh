// Numbers that follow from a seed and a place alone, the same on the host and on the device, so that a check can make
// again what a kernel made.
#pragma once

#include <cstdint>

namespace mlosim::measure {

// The finaliser of splitmix64 (Steele, Lea and Flood 2014) over a counter.
__host__ __device__ inline std::uint64_t hash_of(std::uint64_t seed, std::uint64_t place) {
  std::uint64_t z = seed * 0xd1342543de82ef95ull + place * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

// In [-8, 8]: sums of many stay exact in bf16 up to 256.
__host__ __device__ inline int small_integer(std::uint64_t seed, std::uint64_t place) {
  return static_cast<int>(hash_of(seed, place) % 17) - 8;
}

}  // namespace mlosim::measure
