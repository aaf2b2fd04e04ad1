#include "validate/cuda/cases/rotation.hpp"

#include <algorithm>

namespace mlosim::measure {

std::int64_t copies_past_l2(std::int64_t bytes, const DeviceFacts& facts, std::int64_t most) {
  const std::int64_t wanted = 2 * facts.l2_bytes;
  return std::clamp<std::int64_t>((wanted + bytes - 1) / bytes, 1, most);
}

}  // namespace mlosim::measure
