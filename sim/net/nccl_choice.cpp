#include "sim/net/nccl_choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/net/traffic.hpp"

namespace mlosim::net {
namespace {

using spec::NcclAlgorithm;
using spec::NcclProtocol;

BytesPerSecond ring_bandwidth(NcclProtocol protocol, const spec::NcclChoiceModel& model,
                              const spec::NcclGeneration& g) {
  const auto channels = static_cast<double>(g.channels);
  const BytesPerSecond whole = channels * g.channel_bandwidth;
  switch (protocol) {
    case NcclProtocol::ll:
      return std::min(g.ll_bandwidth, model.ll_share * whole);
    case NcclProtocol::ll128:
      return std::min(model.ll128_share * whole, channels * g.ring_ll128_channel);
    case NcclProtocol::simple:
      return whole;
  }
  return whole;
}

BytesPerSecond tree_bandwidth(NcclProtocol protocol, const spec::NcclChoiceModel& model,
                              const spec::NcclGeneration& g) {
  const auto channels = static_cast<double>(g.channels);
  const BytesPerSecond whole = channels * g.channel_bandwidth;
  switch (protocol) {
    case NcclProtocol::ll:
      return std::min(model.tree_ll_share * whole, g.ll_bandwidth);
    case NcclProtocol::ll128:
      return std::min(model.tree_ll128_share * whole, channels * g.tree_ll128_channel);
    case NcclProtocol::simple:
      return std::min(model.ll128_share * whole, channels * g.tree_simple_channel);
  }
  return whole;
}

BytesPerSecond nvls_bandwidth(const spec::NcclGeneration& g) {
  const auto channels = static_cast<double>(g.channels);
  return 2 * g.nvls->efficiency * (channels - 1) * g.channel_bandwidth;
}

}  // namespace

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

// Entry floor(log2(bytes/start)) of the table; 1 beyond its end.
double tree_correction(const spec::NcclChoiceModel& model, NcclProtocol protocol, Bytes bytes) {
  const std::vector<double>& factors = model.tree_correction[protocol];
  const double doublings = std::max(0.0, std::floor(std::log2(std::max(1.0, bytes / model.tree_correction_start))));
  return doublings < static_cast<double>(factors.size()) ? factors[static_cast<std::size_t>(doublings)] : 1;
}

bool reduces_in_switch(const work::Collective& collective, const spec::RingLibrary& library,
                       const spec::NcclGeneration& generation) {
  const auto& formats = library.choice.nvls_dtypes;
  return generation.nvls && std::find(formats.begin(), formats.end(), collective.dtype) != formats.end() &&
         collective.kind == work::CollectiveKind::all_reduce && collective.ranks >= generation.nvls->least_ranks;
}

Seconds predict_nccl(const NcclChoice& choice, const work::Collective& collective, const spec::RingLibrary& library,
                     const spec::NcclGeneration& generation) {
  const spec::NcclChoiceModel& model = library.choice;
  const bool is_broadcast = collective.kind == work::CollectiveKind::broadcast;
  const double steps = ring_traffic(collective).steps;
  const double hops = is_broadcast ? 1 : steps;
  const double passes = is_broadcast ? 1 : steps / static_cast<double>(collective.ranks);  // of the buffer over the bus
  switch (choice.algorithm) {
    case NcclAlgorithm::ring:
      return model.ring_base[choice.protocol] + hops * model.ring_hop[choice.protocol] +
             passes * collective.bytes / ring_bandwidth(choice.protocol, model, generation);
    case NcclAlgorithm::tree:
      return model.tree_base[choice.protocol] + steps * model.tree_hop[choice.protocol] +
             2 * collective.bytes /
                 (tree_correction(model, choice.protocol, collective.bytes) *
                  tree_bandwidth(choice.protocol, model, generation));
    case NcclAlgorithm::nvls:
      return model.nvls_latency + passes * collective.bytes / nvls_bandwidth(generation);
  }
  return {};
}

NcclChoice choose_nccl(const work::Collective& collective, const spec::RingLibrary& library,
                       const spec::NcclGeneration& generation) {
  std::vector<NcclChoice> choices;
  const auto add_protocols_of = [&](NcclAlgorithm algorithm) {
    for (const NcclProtocol protocol : spec::kNcclProtocols) choices.push_back({algorithm, protocol});
  };
  add_protocols_of(NcclAlgorithm::ring);
  if (collective.kind == work::CollectiveKind::all_reduce) add_protocols_of(NcclAlgorithm::tree);
  if (reduces_in_switch(collective, library, generation))
    choices.push_back({NcclAlgorithm::nvls, NcclProtocol::simple});

  NcclChoice best;
  Seconds least(std::numeric_limits<double>::infinity());
  for (const NcclChoice& choice : choices) {
    const Seconds time = predict_nccl(choice, collective, library, generation);
    if (time < least) {
      least = time;
      best = choice;
    }
  }
  return best;
}

}  // namespace mlosim::net
