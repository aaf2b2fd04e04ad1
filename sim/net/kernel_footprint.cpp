#include "sim/net/kernel_footprint.hpp"

#include <algorithm>
#include <cmath>

namespace mlosim::net {
namespace {

// Of the user's buffers, in a rank: what it gives and what it gets.
Bytes user_bytes(const work::Collective& collective) {
  const auto n = static_cast<double>(collective.ranks);
  switch (collective.kind) {
    case work::CollectiveKind::all_reduce:
    case work::CollectiveKind::all_to_all:
      return 2 * collective.bytes;
    case work::CollectiveKind::all_gather:
    case work::CollectiveKind::reduce_scatter:
      return collective.bytes * (1 + 1 / n);
    case work::CollectiveKind::broadcast:
    case work::CollectiveKind::p2p:
      return collective.bytes;
  }
  return {};
}

}  // namespace

KernelFootprint footprint_of(const work::Collective& collective, Bytes wire, bool buffered, std::int64_t ctas) {
  const Bytes user = user_bytes(collective);
  return {.ctas = ctas,
          .device_bytes = user + (buffered ? wire : Bytes(0)),
          .cache_bytes = user + (buffered ? 2 * wire : Bytes(0))};
}

std::int64_t ctas_of(const NcclChoice& choice, const work::Collective& collective, const spec::NcclLaunch& launch,
                     const spec::NcclGeneration& generation) {
  if (choice.algorithm == spec::NcclAlgorithm::nvls) return generation.nvls->channels;
  Bytes least = launch.thread_bytes[choice.protocol] * static_cast<double>(launch.threads);
  const bool is_ring_ll = choice.algorithm == spec::NcclAlgorithm::ring && choice.protocol == spec::NcclProtocol::ll;
  if (is_ring_ll) least *= static_cast<double>(collective.ranks);
  const std::int64_t most = launch.ctas_per_ring * generation.channels;
  const double worth = std::floor(collective.bytes / least);
  return worth >= static_cast<double>(most) ? most : std::max<std::int64_t>(1, static_cast<std::int64_t>(worth));
}

}  // namespace mlosim::net
