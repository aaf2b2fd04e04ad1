#include "sim/tile/simt_chip.hpp"

#include "sim/units/check.hpp"

namespace mlosim::tile {

//   units ── loads, stores ──▶ shared cache ──▶ … ──▶ last cache ──▶ device memory
//   └ multipliers               ╰─ link between its partitions
SimtChip build_simt_chip(const spec::ChipSpec& spec) {
  SimtChip chip;
  chip.units.resize(static_cast<std::size_t>(spec.units));
  for (const spec::MemoryLevel& level : spec.levels) {
    if (level.sharing != spec::Sharing::chip) continue;
    Level built{.server = {.rate = level.bandwidth.si()},
                .link = {},
                .far_share = 0,
                .latency = level.mean_latency().si(),
                .capacity = level.capacity.si()};
    if (level.partition_link) {
      built.link.rate = level.partition_link->si();
      built.far_share = level.far_share();
    }
    chip.levels.push_back(built);
  }
  MLOSIM_CHECK(chip.levels.size() >= 2);
  return chip;
}

}  // namespace mlosim::tile
