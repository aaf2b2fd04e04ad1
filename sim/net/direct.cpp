#include "sim/net/direct.hpp"

#include <algorithm>

#include "sim/net/traffic.hpp"

namespace mlosim::net {

BytesPerSecond direct_bandwidth(const work::Collective& collective, const spec::Fabric& fabric) {
  const BytesPerSecond link = fabric.bandwidth / static_cast<double>(fabric.chips - 1);
  return collective.kind == work::CollectiveKind::p2p ? link : static_cast<double>(collective.ranks - 1) * link;
}

Seconds estimate_direct(const work::Collective& collective, const spec::Fabric& fabric,
                        const spec::DirectLibrary& library) {
  const double exchanges = collective.kind == work::CollectiveKind::all_reduce ? 2 : 1;
  const Seconds volume = ring_traffic(collective).sent / (fabric.efficiency * direct_bandwidth(collective, fabric));
  const Seconds ll = exchanges * library.ll_hop + volume / library.ll_efficiency;
  const Seconds simple = exchanges * library.simple_hop + volume;
  return library.start + std::min(ll, simple);
}

}  // namespace mlosim::net
