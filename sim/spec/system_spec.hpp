// A system: chips of one kind, the fabric that joins those of a node or slice, and what lies beyond.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/chip_spec.hpp"
#include "sim/spec/economics.hpp"
#include "sim/spec/nccl_spec.hpp"
#include "sim/spec/node.hpp"
#include "sim/spec/scale_out.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

enum class Topology {
  none,      // one chip
  switched,  // every chip reaches every other at full bandwidth (NVSwitch)
  full,      // a link from each chip to each other (xGMI)
  pcie,      // all chips share a root complex
  torus,     // ICI and the like
};

enum class Wraparound {
  none,
  cubes_of_4,  // an axis that is a multiple of 4 closes into a ring
  whole_axis,  // only an axis as long as the pod's
};

// The fabric inside a node, NVLink domain or torus pod.
struct Fabric {
  Topology topology = Topology::none;
  std::int64_t chips = 1;    // that it joins
  BytesPerSecond bandwidth;  // of one chip, per direction, all its links (torus: of one link)
  // Of a hop between neighbours. On switch and full fabrics of the lower bound alone: the hops of NCCL and RCCL are the
  // library's constants, fitted with the links in them.
  Seconds latency;
  Seconds endpoint_latency;              // torus: of sending and receiving, once per message
  double efficiency = 1;                 // of the bandwidth that long transfers sustain
  JoulesPerByte energy{};                // of a byte on its way to the next chip, both ends and what is between
  std::vector<std::int64_t> dimensions;  // torus: of the largest slice
  Wraparound wraparound = Wraparound::none;
  bool twisted = false;      // torus: slices with sides of k and 2k are twisted where they are closed
  Seconds collective_start;  // torus, pcie: of a collective, besides its hops
  std::vector<std::pair<std::int64_t, BytesPerSecond>>
      shared_path;  // pcie: a rank's part of the narrowest shared path, by ascending ranks
};

// What stands around the chips: processors, memory, adapters, switches, fans, losses of the power supply.
struct NodeSpec {
  std::int64_t chips = 1;  // that share it
  Watts power;             // of all of it, whatever the chips do
};

struct SystemSpec {
  std::string name;
  ChipSpec chip;
  Fabric fabric;
  std::optional<ScaleOut> scale_out;  // beyond the node, domain or pod
  std::optional<NodeSpec> node;
  EconomicsChoice economics;     // its own, over those of hw_specs/economics.yaml
  std::optional<NcclSpec> nccl;  // collective library of switched and full fabrics
  std::string nccl_name;         // of the family file that it was read from
};

// Decodes everything but the chip and the collective library, which library.hpp reads from their own files.
SystemSpec decode_system(Node node);

// Decodes again what follows from those members of the document ("fabric", "scale_out", "node", "economics") whose
// numbers have changed, into what was decoded before they did.
void decode_system_again(Node node, std::span<const std::string_view> members, SystemSpec& system);

}  // namespace mlosim::spec
