#include "sim/net/pcie.hpp"

#include <algorithm>
#include <cmath>

#include "sim/net/traffic.hpp"
#include "sim/units/check.hpp"

namespace mlosim::net {

BytesPerSecond shared_path_bandwidth(const spec::Fabric& fabric, std::int64_t ranks) {
  const auto& rows = fabric.shared_path;
  MLOSIM_CHECK(!rows.empty());
  const auto above = std::lower_bound(rows.begin(), rows.end(), ranks,
                                      [](const auto& row, std::int64_t wanted) { return row.first < wanted; });
  if (above == rows.end()) return rows.back().second;
  if (above == rows.begin() || above->first == ranks) return above->second;
  const auto below = std::prev(above);
  const double span = std::log(static_cast<double>(above->first) / static_cast<double>(below->first));
  const double part = std::log(static_cast<double>(ranks) / static_cast<double>(below->first)) / span;
  return below->second * std::pow(above->second / below->second, part);
}

Seconds estimate_pcie(const work::Collective& collective, const spec::Fabric& fabric,
                      const spec::RingLibrary* library) {
  const RingTraffic traffic = ring_traffic(collective);
  const std::int64_t sharers = collective.kind == work::CollectiveKind::p2p ? 2 : collective.ranks;
  const Seconds hops = fabric.collective_start + traffic.steps * fabric.latency;
  const Seconds volume = traffic.sent / shared_path_bandwidth(fabric, sharers);
  if (!library) return hops + volume;
  const Seconds simple = (traffic.steps + 1) * library->pcie.simple_hop + volume;
  return hops + std::min(volume / library->pcie.ll_efficiency, simple);
}

}  // namespace mlosim::net
