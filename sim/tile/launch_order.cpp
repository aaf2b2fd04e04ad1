#include "sim/tile/launch_order.hpp"

#include <tuple>

namespace mlosim::tile {

bool goes_before(const Grid& a, const Grid& b) {
  const auto key = [](const Grid& grid) {
    std::uint64_t steps = 0;
    for (const Cta& cta : grid.ctas) steps += cta.steps;
    const CtaKind& kind = grid.kinds.front();
    return std::make_tuple(grid.ctas.size(), steps, grid.units_per_cta, grid.resident, kind.multiply.si(),
                           kind.wait.si(), kind.load[0].si(), kind.load[1].si(), kind.store.si());
  };
  return key(a) < key(b);
}

}  // namespace mlosim::tile
