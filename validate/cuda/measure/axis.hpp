// The axes of a case and one point on them (nvbench's words). Values are text as the user types and reads it; a state
// reads them as what they mean. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlosim::measure {

struct Axis {
  std::string name;
  std::vector<std::string> values;
};

// An axis of whole numbers, such as bytes or m.
Axis integer_axis(std::string name, const std::vector<std::int64_t>& values);

// 4096, 8192 ... last, each `factor` times the one before; `last` is included only where the steps meet it.
std::vector<std::int64_t> geometric(std::int64_t first, std::int64_t last, std::int64_t factor = 2);

// "65536", "64KiB", "64 KiB", "64k" are the same number; throws std::invalid_argument on anything else.
std::int64_t parse_count(std::string_view text);

// Values by the names of their axes.
using Coordinates = std::vector<std::pair<std::string, std::string>>;

class State {
 public:
  explicit State(Coordinates coordinates) : coordinates_(std::move(coordinates)) {}

  // The value on an axis. A name that is no axis of the case is a mistake of ours: std::logic_error.
  const std::string& text(std::string_view axis) const;
  std::int64_t integer(std::string_view axis) const;

  const Coordinates& coordinates() const { return coordinates_; }
  // "bytes=4096 dtype=bf16"
  std::string name() const;

 private:
  Coordinates coordinates_;
};

}  // namespace mlosim::measure
