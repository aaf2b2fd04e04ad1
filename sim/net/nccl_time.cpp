#include "sim/net/nccl_time.hpp"

#include <algorithm>
#include <cmath>

#include "sim/net/traffic.hpp"

namespace mlosim::net {

Seconds narrow_start(const NcclPlace& place) {
  const spec::NcclTimeModel& t = place.library.time;
  return t.extra_start + t.start * place.memory_latency;
}

namespace {

using spec::NcclAlgorithm;
using spec::NcclProtocol;

// (a^p + b^p)^(1/p): 1 adds, 2 is the hypotenuse, infinity the larger.
Seconds overlap(Seconds a, Seconds b, double norm) {
  return Seconds(std::pow(std::pow(a.si(), norm) + std::pow(b.si(), norm), 1 / norm));
}

// A tree inside a node is a chain that is walked up and down, every buffer once each way.
RingTraffic traffic_of(NcclAlgorithm algorithm, const work::Collective& collective) {
  RingTraffic traffic = ring_traffic(collective);
  if (algorithm == NcclAlgorithm::tree) {
    traffic.sent = 2 * collective.bytes;
    traffic.local = Bytes();
  }
  return traffic;
}

Seconds wide_start(const NcclPlace& place) {
  return place.generation.wide_start.value_or(place.library.time.wide_start) * place.memory_latency;
}

Seconds estimate_ll(const RingTraffic& traffic, const NcclPlace& place, const Outside& outside) {
  const spec::NcclTimeModel& t = place.library.time;
  const double line = std::min(1.0, traffic.chunk / t.ll_line);
  const Seconds hops = traffic.steps * t.ll_hop * place.memory_latency + outside.hops;
  const Seconds loops = (traffic.steps + outside.steps) * line * t.ll_line_clocks / place.clock;
  const Seconds volume = traffic.sent / std::min(t.ll_efficiency * place.link, outside.pace);
  return narrow_start(place) + line * wide_start(place) + hops + std::max(loops, volume) +
         traffic.local / (t.ll_local_efficiency * place.link);
}

Seconds estimate_ll128(const RingTraffic& traffic, const NcclPlace& place, const Outside& outside) {
  const spec::NcclTimeModel& t = place.library.time;
  const Seconds hops = traffic.steps * t.ll128_hop * place.memory_latency + outside.hops;
  const Seconds volume = traffic.sent / std::min(t.ll128_efficiency * place.link, outside.pace);
  return narrow_start(place) + wide_start(place) + overlap(hops, volume, t.overlap_norm) +
         traffic.local / (t.local_efficiency * place.link);
}

Seconds estimate_simple(const RingTraffic& traffic, const NcclPlace& place, const Outside& outside) {
  const spec::NcclTimeModel& t = place.library.time;
  const Seconds hop = t.simple_hop * place.memory_latency;
  const Seconds volume = traffic.sent / std::min(t.simple_efficiency * place.link, outside.pace);
  return narrow_start(place) + wide_start(place) + overlap(traffic.steps * hop + outside.hops, volume, t.overlap_norm) +
         hop + traffic.local / (t.local_efficiency * place.link);
}

}  // namespace

Seconds estimate_protocol(spec::NcclProtocol protocol, const RingTraffic& traffic, const NcclPlace& place,
                          const Outside& outside) {
  switch (protocol) {
    case NcclProtocol::ll:
      return estimate_ll(traffic, place, outside);
    case NcclProtocol::ll128:
      return estimate_ll128(traffic, place, outside);
    case NcclProtocol::simple:
      return estimate_simple(traffic, place, outside);
  }
  return {};
}

Seconds estimate_nvls(const work::Collective& collective, const NcclPlace& place) {
  const spec::NcclGeneration::Nvls& nvls = *place.generation.nvls;
  const Seconds volume = collective.bytes / (nvls.link_efficiency * place.link);
  return narrow_start(place) + overlap(nvls.latency, volume, nvls.overlap_norm);
}

Seconds estimate_nccl(const NcclChoice& choice, const work::Collective& collective, const NcclPlace& place) {
  if (choice.algorithm == NcclAlgorithm::nvls) return estimate_nvls(collective, place);
  return estimate_protocol(choice.protocol, traffic_of(choice.algorithm, collective), place, {});
}

}  // namespace mlosim::net
