#include "sim/net/nccl_across.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/net/send_receive.hpp"
#include "sim/net/traffic.hpp"

namespace mlosim::net {
namespace {

using spec::NcclProtocol;
using work::CollectiveKind;

double d(std::int64_t n) { return static_cast<double>(n); }

bool is_simple(NcclProtocol protocol) { return protocol == NcclProtocol::simple; }

double rounds(const GroupLayout& layout) { return std::ceil(std::log2(d(layout.nodes))); }

// Of a ring's steps, those between nodes.
double outer_steps(const work::Collective& collective, const GroupLayout& layout) {
  return d(layout.nodes - 1) * (collective.kind == CollectiveKind::all_reduce ? 2 : 1);
}

// What the prediction has of the group's ring: no more than its adapters.
BytesPerSecond ring_pace(const NcclPlace& place, const AcrossPlace& across) {
  const BytesPerSecond inside = d(place.generation.channels) * place.generation.channel_bandwidth;
  const BytesPerSecond outside = d(across.layout.per_node) * across.adapter;
  return across.layout.per_node == 1 ? outside : std::min(inside, outside);
}

Seconds predict_ring(NcclProtocol protocol, const work::Collective& collective, const NcclPlace& place,
                     const AcrossPlace& across) {
  const spec::NcclChoiceModel& model = place.library.choice;
  const spec::NcclAcross& net = place.library.across;
  const double steps = ring_traffic(collective).steps, outer = outer_steps(collective, across.layout);
  const bool is_broadcast = collective.kind == CollectiveKind::broadcast;
  const Seconds inner_hop = std::max(model.ring_hop[protocol], net.overhead[protocol]);
  const Seconds outer_hop = (across.layout.per_node == 1 ? net.tree_hop : net.ring_hop)[protocol] + across.near;
  Seconds hops = (steps - outer) * inner_hop + outer * outer_hop;
  const double channels = d(place.generation.channels);
  constexpr Bytes kLong(64);  // of a rank and channel
  if (is_simple(protocol) && collective.kind == CollectiveKind::all_reduce &&
      collective.bytes / (channels * d(collective.ranks)) >= kLong)
    hops *= net.long_ring_hops;
  const BytesPerSecond whole = ring_pace(place, across);
  BytesPerSecond pace = whole;
  if (protocol == NcclProtocol::ll) pace = std::min(net.ll_bandwidth.at(across.layout.nodes), model.ll_share * whole);
  if (protocol == NcclProtocol::ll128)
    pace = std::min(model.ll128_share * whole, channels * place.generation.ring_ll128_channel);
  const double passes = is_broadcast ? 1 : steps / d(collective.ranks);
  return model.ring_base[protocol] + hops + passes * collective.bytes / pace;
}

Seconds predict_tree(NcclProtocol protocol, const work::Collective& collective, const NcclPlace& place,
                     const AcrossPlace& across) {
  const spec::NcclChoiceModel& model = place.library.choice;
  const spec::NcclAcross& net = place.library.across;
  const std::int64_t nodes = across.layout.nodes;
  const double channels = d(place.generation.channels);
  const Seconds inner_hop = std::max(model.tree_hop[protocol], net.overhead[protocol]);
  const Seconds hops =
      2 * (d(across.layout.per_node - 1) * inner_hop + rounds(across.layout) * (net.tree_hop[protocol] + across.near));
  const BytesPerSecond whole = ring_pace(place, across);
  BytesPerSecond pace = std::min(model.ll128_share * whole, channels * place.generation.tree_simple_across.at(nodes));
  if (protocol == NcclProtocol::ll) pace = std::min(model.tree_ll_share * whole, net.ll_bandwidth.at(nodes));
  if (protocol == NcclProtocol::ll128)
    pace = std::min(net.tree_ll128_share * whole, channels * place.generation.tree_ll128_across.at(nodes));
  return model.tree_base[protocol] + hops +
         2 * collective.bytes / (tree_correction(model, protocol, collective.bytes) * pace);
}

Seconds predict_nvls_tree(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across) {
  const spec::NcclGeneration::Nvls& nvls = *place.generation.nvls;
  const std::int64_t nodes = across.layout.nodes;
  const double channels = d(place.generation.channels);
  const BytesPerSecond inside = 2 * nvls.efficiency * (channels - 1) * place.generation.channel_bandwidth;
  const BytesPerSecond outside = (nodes <= 2 ? 2 : 1) * d(across.layout.per_node) * across.adapter;
  const BytesPerSecond own = d(nvls.channels) * place.generation.nvls_tree_across.at(nodes);
  const double passes = ring_traffic(collective).steps / d(collective.ranks);
  return place.library.choice.nvls_latency +
         2 * rounds(across.layout) * (place.library.across.nvls_tree_hop + across.near) +
         passes * collective.bytes / std::min({inside, outside, own});
}

Seconds predict_pat(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across) {
  const spec::NcclAcross& net = place.library.across;
  return net.pat_base + rounds(across.layout) * (net.pat_hop + across.near) + d(collective.ranks) * net.pat_rank +
         collective.bytes / (net.pat_share * ring_pace(place, across));
}

// Times the buffer that the busiest node of a double tree sends: up and down half of it as a leaf of one tree, up once
// and down twice as an inner node of the other. Of two nodes each is the root of one tree.
double tree_passes(const GroupLayout& layout) { return layout.nodes <= 2 ? 1 : 2; }

BytesPerSecond node_pace(const AcrossPlace& across, double payload) {
  return payload * d(across.layout.per_node) * across.neighbours;
}

Seconds estimate_ring(NcclProtocol protocol, const work::Collective& collective, const NcclPlace& place,
                      const AcrossPlace& across) {
  const spec::NcclAcross& net = place.library.across;
  const double outer = outer_steps(collective, across.layout);
  RingTraffic traffic = ring_traffic(collective);
  traffic.steps -= outer;
  return estimate_protocol(protocol, traffic, place,
                           {.steps = outer,
                            .hops = outer * (net.ring_hop[protocol] + across.near),
                            .pace = node_pace(across, net.payload[protocol])});
}

Seconds estimate_tree(NcclProtocol protocol, const work::Collective& collective, const NcclPlace& place,
                      const AcrossPlace& across) {
  const spec::NcclAcross& net = place.library.across;
  const double outer = 2 * rounds(across.layout);
  const RingTraffic traffic{.steps = 2 * d(across.layout.per_node - 1),
                            .sent = 2 * collective.bytes,
                            .chunk = collective.bytes / d(collective.ranks),
                            .local = {}};
  return estimate_protocol(protocol, traffic, place,
                           {.steps = outer,
                            .hops = outer * (net.tree_hop[protocol] + across.near),
                            .pace = 2 / tree_passes(across.layout) * node_pace(across, net.payload[protocol])});
}

Seconds estimate_nvls_tree(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across) {
  const Seconds outside = tree_passes(across.layout) * collective.bytes / node_pace(across, 1);
  const Seconds inside = estimate_nvls(collective, place) / place.library.across.nvls_tree_share;
  return std::max(inside, outside) + 2 * rounds(across.layout) * (place.library.across.nvls_tree_hop + across.near);
}

Seconds estimate_in_network(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across) {
  const Seconds outside = collective.bytes / node_pace(across, 1);
  return std::max(estimate_nvls(collective, place), outside) + 2 * (place.library.across.in_network_hop + across.far);
}

Seconds estimate_pat(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across) {
  const spec::NcclAcross& net = place.library.across;
  RingTraffic traffic = ring_traffic(collective);
  const double steps = rounds(across.layout);
  traffic.steps = 0;
  return estimate_protocol(NcclProtocol::simple, traffic, place,
                           {.steps = steps,
                            .hops = steps * (net.pat_hop + across.near) + d(collective.ranks) * net.pat_rank,
                            .pace = node_pace(across, 1)});
}

}  // namespace

Seconds predict_across(const AcrossChoice& choice, const work::Collective& collective, const NcclPlace& place,
                       const AcrossPlace& across) {
  switch (choice.algorithm) {
    case AcrossAlgorithm::ring:
      return predict_ring(choice.protocol, collective, place, across);
    case AcrossAlgorithm::tree:
      return predict_tree(choice.protocol, collective, place, across);
    case AcrossAlgorithm::nvls_tree:
      return predict_nvls_tree(collective, place, across);
    case AcrossAlgorithm::in_network:
      return estimate_in_network(collective, place, across);
    case AcrossAlgorithm::pat:
      return predict_pat(collective, place, across);
  }
  return {};
}

AcrossChoice choose_across(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across) {
  std::vector<AcrossChoice> choices;
  for (const NcclProtocol protocol : spec::kNcclProtocols) choices.push_back({AcrossAlgorithm::ring, protocol});
  const bool is_all_reduce = collective.kind == CollectiveKind::all_reduce;
  if (is_all_reduce) {
    for (const NcclProtocol protocol : spec::kNcclProtocols) choices.push_back({AcrossAlgorithm::tree, protocol});
    work::Collective inside = collective;
    inside.ranks = across.layout.per_node;
    if (reduces_in_switch(inside, place.library, place.generation)) {
      choices.push_back({AcrossAlgorithm::nvls_tree, NcclProtocol::simple});
      if (across.reduces_in_switch) choices.push_back({AcrossAlgorithm::in_network, NcclProtocol::simple});
    }
  }
  const bool is_gather =
      collective.kind == CollectiveKind::all_gather || collective.kind == CollectiveKind::reduce_scatter;
  if (is_gather && across.layout.per_node == 1) choices.push_back({AcrossAlgorithm::pat, NcclProtocol::simple});

  AcrossChoice best;
  Seconds least(std::numeric_limits<double>::infinity());
  for (const AcrossChoice& choice : choices) {
    const Seconds time = predict_across(choice, collective, place, across);
    if (time < least) {
      least = time;
      best = choice;
    }
  }
  return best;
}

Seconds estimate_across(const AcrossChoice& choice, const work::Collective& collective, const NcclPlace& place,
                        const AcrossPlace& across) {
  switch (choice.algorithm) {
    case AcrossAlgorithm::ring:
      return estimate_ring(choice.protocol, collective, place, across);
    case AcrossAlgorithm::tree:
      return estimate_tree(choice.protocol, collective, place, across);
    case AcrossAlgorithm::nvls_tree:
      return estimate_nvls_tree(collective, place, across);
    case AcrossAlgorithm::in_network:
      return estimate_in_network(collective, place, across);
    case AcrossAlgorithm::pat:
      return estimate_pat(collective, place, across);
  }
  return {};
}

Seconds estimate_all_to_all_across(const work::Collective& collective, const NcclPlace& place,
                                   const AcrossPlace& across) {
  const double n = d(collective.ranks), p = d(across.layout.per_node);
  const Bytes share = collective.bytes / n;
  // Inside: as among the node's own ranks, with what came in over other ranks' adapters carried on.
  const double carried = across.layout.per_node == 1 ? 0 : (p - 1) + (n - p) * (p - 1) / p;
  work::Collective inside = collective;
  inside.ranks = std::max<std::int64_t>(2, across.layout.per_node);
  inside.bytes = carried / d(inside.ranks - 1) * d(inside.ranks) * share;
  const Seconds peers = place.library.send_receive.peer * (n - p) * place.memory_latency;
  const Seconds outside = (n - p) * collective.crossing * share / across.exchange;
  return std::max(estimate_all_to_all(inside, place), narrow_start(place) + outside) + peers +
         place.library.across.ring_hop[NcclProtocol::simple] + across.far;
}

Seconds estimate_pair_across(const work::Collective& collective, const NcclPlace& place, const AcrossPlace& across) {
  work::Collective nothing = collective;
  nothing.bytes = Bytes(0);
  const BytesPerSecond pace = std::min(place.library.across.pair_efficiency * across.adapter, across.neighbours);
  return estimate_pair(nothing, place) + place.library.across.ring_hop[NcclProtocol::simple] + across.near +
         collective.bytes / pace;
}

std::string_view name_of(const AcrossChoice& choice) {
  switch (choice.algorithm) {
    case AcrossAlgorithm::ring:
    case AcrossAlgorithm::tree:
      return name_of(NcclChoice{.algorithm = choice.algorithm == AcrossAlgorithm::ring ? spec::NcclAlgorithm::ring
                                                                                       : spec::NcclAlgorithm::tree,
                                .protocol = choice.protocol});
    case AcrossAlgorithm::nvls_tree:
      return "NVLS tree";
    case AcrossAlgorithm::in_network:
      return "NVLS SHARP";
    case AcrossAlgorithm::pat:
      return "PAT";
  }
  return "";
}

}  // namespace mlosim::net
