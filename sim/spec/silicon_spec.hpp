// What a chip is built of, as its `silicon:` block says: what was etched, not only what works. What that takes of a
// wafer and what it costs is models/predict/silicon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

// Dies beside the compute dies that hold the interfaces, and the caches that are named.
struct IoDies {
  std::string process;
  std::int64_t count = 1;
  std::vector<std::string> levels;  // memory levels that are on them
};

struct SiliconSpec {
  std::string process;                       // of the compute dies, by its name in hw_specs/silicon.yaml
  std::int64_t dies = 1;                     // compute dies of a package
  std::int64_t spare_units = 0;              // built in all of them beside those that work: some may be broken
  Bytes registers;                           // of one unit, beside its memory levels
  std::string memory;                        // kind, by its name in hw_specs/silicon.yaml: "hbm3e", "gddr6"
  std::int64_t interfaces = 1;               // stacks of it, or channels of 32 bit
  BytesPerSecond links;                      // per direction, all links to other chips
  std::optional<IoDies> io;                  // none: everything is on the compute dies
  std::optional<double> published_area_mm2;  // of all its dies, where somebody measured or published it
};

SiliconSpec decode_silicon(Node node);

}  // namespace mlosim::spec
