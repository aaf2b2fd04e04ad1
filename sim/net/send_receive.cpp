#include "sim/net/send_receive.hpp"

#include <algorithm>
#include <cmath>

namespace mlosim::net {
namespace {

// How what goes to one peer is cut.
struct Cut {
  bool is_ll = false;
  double channels = 1;  // of one peer
  Bytes part;           // of one channel
};

Cut cut(Bytes message, std::int64_t ranks, const spec::NcclSendReceive& s) {
  const double most = std::max(1.0, std::floor(static_cast<double>(s.channels) / static_cast<double>(ranks)));
  const auto opened = [&](Bytes part) { return std::clamp(std::ceil(message / part), 1.0, most); };
  const double counted = s.ll_counts_all_channels ? static_cast<double>(s.channels) : opened(s.part);
  Cut c{.is_ll = message <= counted * s.ll_largest, .channels = 1, .part = message};
  c.channels = opened(c.is_ll ? s.ll_part : s.part);
  c.part = std::max(message / c.channels, static_cast<double>(ranks) / static_cast<double>(s.channels) * message);
  return c;
}

}  // namespace

Seconds estimate_all_to_all(const work::Collective& collective, const NcclPlace& place) {
  const spec::NcclSendReceive& s = place.library.send_receive;
  const spec::NcclTimeModel& t = place.library.time;
  const double peers = static_cast<double>(collective.ranks - 1);
  const Bytes message = collective.bytes / static_cast<double>(collective.ranks);
  const Cut c = cut(message, collective.ranks, s);
  const double wide = place.generation.wide_start.value_or(t.wide_start) * (1 - 1 / c.channels);
  const Seconds start =
      t.extra_start + place.memory_latency * (s.start + s.peer * peers + wide) + s.start_clocks / place.clock;
  if (c.is_ll) return start + std::max(0.0, c.part / t.ll_line - 1) * s.ll_line_clocks / place.clock;
  const Seconds copy = c.part / s.channel_rate / place.clock;
  const Seconds volume = peers * message / (s.efficiency * place.link);
  return start + s.simple_start * place.memory_latency + std::max(copy, volume) +
         std::min(c.part, s.chunk) / s.fill_rate / place.clock;
}

Seconds estimate_pair(const work::Collective& collective, const NcclPlace& place) {
  const spec::NcclSendReceive& s = place.library.send_receive;
  const spec::NcclTimeModel& t = place.library.time;
  const double wide = place.generation.wide_start.value_or(t.wide_start);
  return t.extra_start + (s.pair_start + wide) * place.memory_latency +
         collective.bytes / (s.pair_efficiency * place.link);
}

}  // namespace mlosim::net
