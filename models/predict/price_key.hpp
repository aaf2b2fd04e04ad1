// What a cached price depends on, as numbers. Internal to the closed form of training steps.
#pragma once

#include <array>
#include <bit>
#include <boost/functional/hash.hpp>
#include <cstdint>
#include <unordered_map>

namespace mlosim::predict {

template <std::size_t N>
using Key = std::array<std::int64_t, N>;
template <std::size_t N, class Value>
using Priced = std::unordered_map<Key<N>, Value, boost::hash<Key<N>>>;

inline std::int64_t bits(double value) { return std::bit_cast<std::int64_t>(value); }
template <class Enum>
std::int64_t number(Enum value) {
  return static_cast<std::int64_t>(value);
}

}  // namespace mlosim::predict
