#include "sim/net/collective.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "sim/net/custom_all_reduce.hpp"
#include "sim/net/direct.hpp"
#include "sim/net/faults.hpp"
#include "sim/net/group_layout.hpp"
#include "sim/net/hierarchy.hpp"
#include "sim/net/nccl_across.hpp"
#include "sim/net/nccl_choice.hpp"
#include "sim/net/nccl_time.hpp"
#include "sim/net/pcie.hpp"
#include "sim/net/scale_out_load.hpp"
#include "sim/net/send_receive.hpp"
#include "sim/net/torus.hpp"
#include "sim/net/traffic.hpp"
#include "sim/spec/diagnostics.hpp"

namespace mlosim::net {
namespace {

using work::CollectiveKind;

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
                         .wire_bytes = price.sent,
                         .kernel = footprint_of(collective, price.sent, true, custom->blocks)};
}

const spec::RingLibrary& ring_library_of(const spec::SystemSpec& system) {
  if (!system.nccl || !system.nccl->ring) {
    throw spec::InputError(fmt::format("the collective library '{}' of {} is not made for a switched fabric",
                                       system.nccl_name, system.name),
                           "use 'nccl'");
  }
  return *system.nccl->ring;
}

NcclPlace place_of(const spec::SystemSpec& system) {
  const spec::RingLibrary& library = ring_library_of(system);
  return {.library = library,
          .generation = library.generation_of(system.chip.family),
          .link = system.fabric.bandwidth,
          .memory_latency = system.chip.device_memory().latency,
          .clock = system.chip.clock};
}

CollectivePrice estimate_switched(const work::Collective& collective, const spec::SystemSpec& system,
                                  const spec::CustomAllReduce* custom) {
  const spec::Fabric& fabric = system.fabric;
  if (auto price = estimate_custom(collective, system, custom, fabric.bandwidth)) return *price;
  const NcclPlace place = place_of(system);
  const spec::RingLibrary& library = place.library;
  const bool in_switch = reduces_in_switch(collective, library, place.generation);
  const Seconds bound = fabric.latency + least_traffic(collective, in_switch) / fabric.bandwidth;
  const Bytes sent = ring_traffic(collective).sent;
  const KernelFootprint pairwise = footprint_of(collective, sent, true, library.send_receive.channels);
  switch (collective.kind) {
    case CollectiveKind::all_to_all:
      return {.time = estimate_all_to_all(collective, place),
              .bound = bound,
              .algorithm = "direct",
              .wire_bytes = sent,
              .kernel = pairwise};
    case CollectiveKind::p2p:
      return {.time = estimate_pair(collective, place),
              .bound = bound,
              .algorithm = "p2p",
              .wire_bytes = sent,
              .kernel = pairwise};
    case CollectiveKind::all_reduce:
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
    case CollectiveKind::broadcast:
      break;
  }
  const NcclChoice choice = choose_nccl(collective, library, place.generation);
  const Bytes wire = wire_bytes_of(choice, collective);
  return {.time = estimate_nccl(choice, collective, place),
          .bound = bound,
          .algorithm = name_of(choice),
          .wire_bytes = wire,
          .kernel = footprint_of(collective, wire, choice.algorithm != spec::NcclAlgorithm::nvls,
                                 ctas_of(choice, collective, library.launch, place.generation))};
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
          .wire_bytes = sent,
          .kernel = footprint_of(collective, sent, true, system.nccl->direct->channels)};
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
          .wire_bytes = sent,
          .kernel = footprint_of(collective, sent, true, library ? library->launch.ctas_per_ring : 1)};
}

CollectivePrice estimate_slice(const work::Collective& collective, const spec::SystemSpec& system) {
  const TorusPrice price = estimate_torus(collective, system.fabric);
  return {.time = price.time,
          .bound = price.bound,
          .algorithm = collective.kind == CollectiveKind::p2p ? "p2p" : "torus bucket",
          .wire_bytes = ring_traffic(collective).sent,
          .kernel = footprint_of(collective, ring_traffic(collective).sent, true, 0)};
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

AcrossPlace across_place_of(const GroupLayout& layout, const spec::ScaleOut& network) {
  return {.layout = layout,
          .adapter = network.bandwidth,
          .neighbours = network.efficiency * network.bandwidth / neighbour_load(network, layout),
          .exchange = network.exchange_efficiency * network.bandwidth / exchange_load(network, layout),
          .near = neighbour_latency(network, layout) - network.latency,
          .far = farthest_latency(network, layout) - network.latency,
          .reduces_in_switch = network.reduces_in_switch};
}

// One adapter at its whole bandwidth with what no algorithm can spare, or a rank's links of both kinds together.
Seconds bound_across(const work::Collective& collective, const GroupLayout& layout, const spec::SystemSpec& system) {
  const spec::ScaleOut& network = *system.scale_out;
  const bool is_all_reduce = collective.kind == CollectiveKind::all_reduce;
  Bytes crossing = outer_stage(collective, layout, network).bytes;
  if (is_all_reduce && network.reduces_in_switch)
    crossing = std::min(crossing, collective.bytes / static_cast<double>(layout.per_node));
  const double links =
      system.fabric.topology == spec::Topology::torus ? 2 * static_cast<double>(system.fabric.dimensions.size()) : 1;
  const BytesPerSecond all = network.bandwidth + links * system.fabric.bandwidth;
  const Bytes least =
      collective.kind == CollectiveKind::all_to_all
          ? crossing
          : least_traffic(collective, is_all_reduce && system.fabric.topology == spec::Topology::switched);
  return network.latency + std::max(crossing / network.bandwidth, least / all);
}

// NCCL on NVLink nodes.
CollectivePrice estimate_nccl_across(const work::Collective& collective, const GroupLayout& layout,
                                     const spec::SystemSpec& system) {
  const NcclPlace place = place_of(system);
  const AcrossPlace across = across_place_of(layout, *system.scale_out);
  const Bytes sent = ring_traffic(collective).sent;
  CollectivePrice price{.time = {},
                        .bound = bound_across(collective, layout, system),
                        .algorithm = "direct",
                        .wire_bytes = sent,
                        .kernel = footprint_of(collective, sent, true, place.library.send_receive.channels)};
  if (collective.kind == CollectiveKind::all_to_all) {
    price.time = estimate_all_to_all_across(collective, place, across);
    return price;
  }
  if (collective.kind == CollectiveKind::p2p) {
    price.time = estimate_pair_across(collective, place, across);
    price.algorithm = "p2p";
    return price;
  }
  const AcrossChoice choice = choose_across(collective, place, across);
  const bool in_switch =
      choice.algorithm == AcrossAlgorithm::nvls_tree || choice.algorithm == AcrossAlgorithm::in_network;
  const NcclChoice kernel{.algorithm = in_switch                                   ? spec::NcclAlgorithm::nvls
                                       : choice.algorithm == AcrossAlgorithm::tree ? spec::NcclAlgorithm::tree
                                                                                   : spec::NcclAlgorithm::ring,
                          .protocol = choice.protocol};
  price.time = estimate_across(choice, collective, place, across);
  price.algorithm = name_of(choice);
  price.wire_bytes = wire_bytes_of(kernel, collective);
  price.kernel = footprint_of(collective, price.wire_bytes, !in_switch,
                              ctas_of(kernel, collective, place.library.launch, place.generation));
  return price;
}

// Stage by stage, on what is not NCCL's switched fabric.
CollectivePrice estimate_stages(const work::Collective& collective, const GroupLayout& layout,
                                const spec::SystemSpec& system) {
  const work::Collective inner = inner_stage(collective, layout);
  work::Collective nothing = inner;
  nothing.bytes = Bytes(1);
  const CollectivePrice inside = inner.ranks > 1 ? estimate_on_fabric(inner, system, nullptr) : CollectivePrice{};
  const OuterStage outside = outer_stage(collective, layout, *system.scale_out);
  Seconds time = inside.time + outside.fixed + outside.volume;
  if (inner.ranks > 1 && system.fabric.topology != spec::Topology::torus) {
    const Seconds start = estimate_on_fabric(nothing, system, nullptr).time;
    time = std::max(inside.time, start + outside.volume) + outside.fixed;
  }
  return {.time = time,
          .bound = bound_across(collective, layout, system),
          .algorithm = collective.kind == CollectiveKind::p2p ? "p2p" : "hierarchical",
          .wire_bytes = ring_traffic(collective).sent,
          .kernel = footprint_of(collective, ring_traffic(collective).sent, true, inside.kernel.ctas)};
}

// The kind of link that binds, by the name of the first of them: all are alike.
std::string narrowest(const work::Collective& collective, const GroupLayout& layout, const spec::SystemSpec& system) {
  const bool is_alone = layout.per_node == 1 || collective.kind == CollectiveKind::p2p;
  const Seconds inside = ring_traffic(collective).sent / system.fabric.bandwidth;
  if (is_alone || outer_stage(collective, layout, *system.scale_out).volume >= inside) return "node0.nic0";
  switch (system.fabric.topology) {
    case spec::Topology::full:
      return "node0.chip0-chip1";
    case spec::Topology::pcie:
      return "node0.path0";
    case spec::Topology::torus:
      return "pod0.chip0.x";
    case spec::Topology::switched:
    case spec::Topology::none:
      break;
  }
  return "node0.link0";
}

}  // namespace

CollectivePrice estimate_collective(const work::Collective& collective, const spec::SystemSpec& system,
                                    const spec::CustomAllReduce* custom) {
  if (collective.ranks <= 1) return {};
  const GroupLayout layout = place_group(collective, system);
  CollectivePrice price;
  if (layout.nodes == 1) {
    price = estimate_on_fabric(collective, system, custom);
  } else if (system.fabric.topology == spec::Topology::switched) {
    price = estimate_nccl_across(collective, layout, system);
  } else {
    price = estimate_stages(collective, layout, system);
  }
  price.time = std::max(price.time, price.bound);
  if (layout.nodes > 1) {
    price.bottleneck = narrowest(collective, layout, system);
    price.crossing_bytes = std::min(price.wire_bytes, outer_stage(collective, layout, *system.scale_out).bytes);
  }
  if (system.scale_out && !system.scale_out->faults.empty() && collective.bytes > Bytes(0)) {
    FaultCost cost = cost_of_faults(collective, system);
    price.time += cost.time;
    if (!cost.bottleneck.empty()) price.bottleneck = std::move(cost.bottleneck);
  }
  return price;
}

}  // namespace mlosim::net
