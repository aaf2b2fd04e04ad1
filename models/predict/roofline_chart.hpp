// A roofline as a picture: roofs of each memory level and arithmetic over operations per byte, and a point for each
// operator, in one SVG without scripts. Bytes of a point are the compulsory ones; its height is what it achieved, so
// that a point far below every roof is bound by something else: latency, launch, an uneven last wave.
#pragma once

#include <string>
#include <vector>

#include "sim/spec/chip_spec.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::predict {

struct OperatorFacts;

struct MemoryRoof {
  std::string name;          // "hbm"
  BytesPerSecond bandwidth;  // of the whole chip
};

struct ComputeRoof {
  std::string name;     // "bf16 matrix", "fp32 vector"
  FlopsPerSecond rate;  // of the whole chip, at the highest clock
};

struct RooflinePoint {
  std::string label;
  double intensity = 0;  // operations a byte, above 0
  FlopsPerSecond achieved;
  double share = 0;  // of the workload's time
};

struct RooflineChart {
  std::string title;
  std::vector<MemoryRoof> memories;  // outermost last
  std::vector<ComputeRoof> rates;
  std::vector<RooflinePoint> points;  // largest share first
};

// Of those operators that compute: a copy has no place under a roofline.
RooflineChart build_roofline_chart(const std::string& title, const std::vector<OperatorFacts>& operators,
                                   const spec::ChipSpec& chip);

// A document of its own; `width` x `height` pixels. Deterministic; text is escaped.
std::string render_roofline_svg(const RooflineChart& chart, int width = 1100, int height = 640);

}  // namespace mlosim::predict
