#include "sim/net/collective.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/net/custom_all_reduce.hpp"
#include "sim/net/direct.hpp"
#include "sim/net/nccl_choice.hpp"
#include "sim/net/nccl_time.hpp"
#include "sim/net/pcie.hpp"
#include "sim/net/send_receive.hpp"
#include "sim/net/torus.hpp"
#include "sim/net/traffic.hpp"
#include "sim/spec/diagnostics.hpp"

namespace mlosim::net {
namespace {

using work::CollectiveKind;

std::string_view name_of(const NcclChoice& choice) {
  const bool is_tree = choice.algorithm == spec::NcclAlgorithm::tree;
  if (choice.algorithm == spec::NcclAlgorithm::nvls) return "NVLS";
  switch (choice.protocol) {
    case spec::NcclProtocol::ll:
      return is_tree ? "tree LL" : "ring LL";
    case spec::NcclProtocol::ll128:
      return is_tree ? "tree LL128" : "ring LL128";
    case spec::NcclProtocol::simple:
      return is_tree ? "tree Simple" : "ring Simple";
  }
  return "";
}

// NVLS sends every buffer up once to be reduced, and its own share once more to all.
Bytes wire_bytes_of(const NcclChoice& choice, const work::Collective& collective) {
  const auto n = static_cast<double>(collective.ranks);
  switch (choice.algorithm) {
    case spec::NcclAlgorithm::ring:
      return ring_traffic(collective).sent;
    case spec::NcclAlgorithm::tree:
      return 2 * collective.bytes;
    case spec::NcclAlgorithm::nvls:
      return collective.bytes * (1 + 1 / n);
  }
  return {};
}

// The framework's own kernel, where it takes this collective.
std::optional<CollectivePrice> estimate_custom(const work::Collective& collective, const spec::SystemSpec& system,
                                               const spec::CustomAllReduce* custom, BytesPerSecond peers) {
  if (!custom || collective.kind != CollectiveKind::all_reduce) return std::nullopt;
  spec::CustomAllReduce own = custom->at(system.chip.family, collective.ranks);
  if (collective.bytes > own.largest) return std::nullopt;
  const bool is_pcie = system.fabric.topology == spec::Topology::pcie;
  if (is_pcie && collective.ranks > own.pcie_ranks) return std::nullopt;
  if (is_pcie) own.one_shot_efficiency = own.two_shot_efficiency = 1;  // the shared path is what was sustained
  CustomPrice price = estimate_custom_all_reduce(collective, own, peers, system.chip.device_memory().latency);
  if (is_pcie) price.time += 2 * system.fabric.latency;  // the barriers before and after cross the host
  return CollectivePrice{.time = price.time,
                         .bound = system.fabric.latency + least_traffic(collective, false) / peers,
                         .algorithm = price.one_shot ? "one-shot" : "two-shot",
                         .wire_bytes = price.sent};
}

CollectivePrice estimate_switched(const work::Collective& collective, const spec::SystemSpec& system,
                                  const spec::CustomAllReduce* custom) {
  const spec::Fabric& fabric = system.fabric;
  if (auto price = estimate_custom(collective, system, custom, fabric.bandwidth)) return *price;
  if (!system.nccl || !system.nccl->ring) {
    throw spec::InputError(fmt::format("the collective library '{}' of {} is not made for a switched fabric",
                                       system.nccl_name, system.name),
                           "use 'nccl'");
  }
  const spec::RingLibrary& library = *system.nccl->ring;
  const NcclPlace place{.library = library,
                        .generation = library.generation_of(system.chip.family),
                        .link = fabric.bandwidth,
                        .memory_latency = system.chip.device_memory().latency,
                        .clock = system.chip.clock};
  const bool in_switch = reduces_in_switch(collective, library, place.generation);
  const Seconds bound = fabric.latency + least_traffic(collective, in_switch) / fabric.bandwidth;
  const Bytes sent = ring_traffic(collective).sent;
  switch (collective.kind) {
    case CollectiveKind::all_to_all:
      return {
          .time = estimate_all_to_all(collective, place), .bound = bound, .algorithm = "direct", .wire_bytes = sent};
    case CollectiveKind::p2p:
      return {.time = estimate_pair(collective, place), .bound = bound, .algorithm = "p2p", .wire_bytes = sent};
    case CollectiveKind::all_reduce:
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
    case CollectiveKind::broadcast:
      break;
  }
  const NcclChoice choice = choose_nccl(collective, library, place.generation);
  return {.time = estimate_nccl(choice, collective, place),
          .bound = bound,
          .algorithm = name_of(choice),
          .wire_bytes = wire_bytes_of(choice, collective)};
}

CollectivePrice estimate_full(const work::Collective& collective, const spec::SystemSpec& system,
                              const spec::CustomAllReduce* custom) {
  const BytesPerSecond peers = direct_bandwidth(collective, system.fabric);
  if (auto price = estimate_custom(collective, system, custom, peers)) return *price;
  if (!system.nccl || !system.nccl->direct) {
    throw spec::InputError(
        fmt::format("the collective library '{}' of {} is not made for a full fabric", system.nccl_name, system.name),
        "use 'rccl'");
  }
  const Bytes sent = ring_traffic(collective).sent;
  return {.time = estimate_direct(collective, system.fabric, *system.nccl->direct),
          .bound = system.fabric.latency + sent / peers,
          .algorithm = collective.kind == CollectiveKind::p2p ? "p2p" : "direct",
          .wire_bytes = sent};
}

CollectivePrice estimate_shared_path(const work::Collective& collective, const spec::SystemSpec& system,
                                     const spec::CustomAllReduce* custom) {
  const BytesPerSecond peers = shared_path_bandwidth(system.fabric, collective.ranks);
  if (auto price = estimate_custom(collective, system, custom, peers)) return *price;
  const Bytes sent = ring_traffic(collective).sent;
  const spec::RingLibrary* library = system.nccl && system.nccl->ring ? &*system.nccl->ring : nullptr;
  return {.time = estimate_pcie(collective, system.fabric, library),
          .bound = system.fabric.latency + sent / system.fabric.bandwidth,
          .algorithm = collective.kind == CollectiveKind::p2p ? "p2p" : "shared path",
          .wire_bytes = sent};
}

CollectivePrice estimate_slice(const work::Collective& collective, const spec::SystemSpec& system) {
  const TorusPrice price = estimate_torus(collective, system.fabric);
  return {.time = price.time,
          .bound = price.bound,
          .algorithm = collective.kind == CollectiveKind::p2p ? "p2p" : "torus bucket",
          .wire_bytes = ring_traffic(collective).sent};
}

CollectivePrice estimate_on_fabric(const work::Collective& collective, const spec::SystemSpec& system,
                                   const spec::CustomAllReduce* custom) {
  switch (system.fabric.topology) {
    case spec::Topology::none:
      break;
    case spec::Topology::switched:
      return estimate_switched(collective, system, custom);
    case spec::Topology::full:
      return estimate_full(collective, system, custom);
    case spec::Topology::pcie:
      return estimate_shared_path(collective, system, custom);
    case spec::Topology::torus:
      return estimate_slice(collective, system);
  }
  return {};
}

}  // namespace

CollectivePrice estimate_collective(const work::Collective& collective, const spec::SystemSpec& system,
                                    const spec::CustomAllReduce* custom) {
  if (collective.ranks <= 1) return {};
  if (collective.ranks > system.fabric.chips) {
    throw spec::InputError(
        fmt::format(
            "a collective of {} ranks does not fit: {} joins {} chip{} in a node, and collectives across nodes are "
            "not modelled",
            collective.ranks, system.name, system.fabric.chips, system.fabric.chips == 1 ? "" : "s"),
        "take fewer ranks, or a system whose fabric joins more chips");
  }
  CollectivePrice price = estimate_on_fabric(collective, system, custom);
  price.time = std::max(price.time, price.bound);
  return price;
}

}  // namespace mlosim::net
