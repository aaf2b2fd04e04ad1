#include "sim/spec/nccl_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/spec/document.hpp"
#include "sim/spec/spelling.hpp"
#include "sim/units/check.hpp"

namespace mlosim::spec {
namespace {

ByProtocol<Seconds> decode_latencies(Node node) {
  ByProtocol<Seconds> figures{
      .ll = node.require<Seconds>("ll"),
      .ll128 = node.require<Seconds>("ll128"),
      .simple = node.require<Seconds>("simple"),
  };
  node.finish();
  return figures;
}

ByNodes<BytesPerSecond> decode_by_nodes(Node node) {
  ByNodes<BytesPerSecond> figures{.two = node.require<BytesPerSecond>("two"),
                                  .more = node.require<BytesPerSecond>("more")};
  node.finish();
  return figures;
}

std::vector<double> decode_factors(Node node) {
  std::vector<double> factors;
  for (const Node& item : node.items()) factors.push_back(item.as_number(Range::fraction));
  if (factors.empty()) node.fail("at least one factor is needed");
  return factors;
}

std::vector<work::DType> decode_dtypes(Node node) {
  std::vector<work::DType> dtypes;
  for (const Node& item : node.items()) {
    const std::string name = item.as_text();
    const auto known = std::find_if(work::kDTypeNames.begin(), work::kDTypeNames.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (known == work::kDTypeNames.end()) {
      item.fail(fmt::format("unknown dtype '{}'", name));
    } else {
      dtypes.push_back(known->second);
    }
  }
  return dtypes;
}

NcclChoiceModel decode_choice(Node node) {
  NcclChoiceModel c;
  c.ring_base = decode_latencies(node.require_mapping("ring_base"));
  c.tree_base = decode_latencies(node.require_mapping("tree_base"));
  c.ring_hop = decode_latencies(node.require_mapping("ring_hop"));
  c.tree_hop = decode_latencies(node.require_mapping("tree_hop"));
  c.nvls_latency = node.require<Seconds>("nvls_latency");
  c.nvls_dtypes = decode_dtypes(node.child("nvls_dtypes"));
  c.ll_share = node.require_number("ll_share", Range::fraction);
  c.ll128_share = node.require_number("ll128_share", Range::fraction);
  c.tree_ll_share = node.require_number("tree_ll_share", Range::fraction);
  c.tree_ll128_share = node.require_number("tree_ll128_share", Range::fraction);
  c.tree_correction_start = node.require<Bytes>("tree_correction_start");
  Node correction = node.require_mapping("tree_correction");
  c.tree_correction = {.ll = decode_factors(correction.child("ll")),
                       .ll128 = decode_factors(correction.child("ll128")),
                       .simple = decode_factors(correction.child("simple"))};
  correction.finish();
  node.read_block_source();
  node.finish();
  return c;
}

NcclTimeModel decode_time(Node node) {
  NcclTimeModel t{
      .start = node.require_number("start"),
      .extra_start = node.value_or<Seconds>("extra_start", Seconds(0), Range::non_negative),
      .wide_start = node.require_number("wide_start", Range::non_negative),
      .ll_hop = node.require_number("ll_hop"),
      .ll_line_clocks = node.require_number("ll_line_clocks", Range::non_negative),
      .ll_line = node.require<Bytes>("ll_line"),
      .ll_efficiency = node.require_number("ll_efficiency", Range::fraction),
      .ll_local_efficiency = node.require_number("ll_local_efficiency"),
      .ll128_hop = node.require_number("ll128_hop"),
      .ll128_efficiency = node.require_number("ll128_efficiency", Range::fraction),
      .simple_hop = node.require_number("simple_hop"),
      .simple_efficiency = node.require_number("simple_efficiency", Range::fraction),
      .local_efficiency = node.require_number("local_efficiency"),
      .overlap_norm = node.require_number("overlap_norm"),
  };
  node.finish();
  return t;
}

NcclSendReceive decode_send_receive(Node node) {
  NcclSendReceive s{
      .channels = node.require_count("channels"),
      .ll_largest = node.require<Bytes>("ll_largest"),
      .ll_counts_all_channels = node.flag_or("ll_counts_all_channels", false),
      .ll_part = node.require<Bytes>("ll_part"),
      .part = node.require<Bytes>("part"),
      .start = node.require_number("start"),
      .start_clocks = node.require_number("start_clocks", Range::non_negative),
      .peer = node.require_number("peer", Range::non_negative),
      .ll_line_clocks = node.require_number("ll_line_clocks", Range::non_negative),
      .simple_start = node.require_number("simple_start", Range::non_negative),
      .channel_rate = node.require<Bytes>("channel_rate"),
      .fill_rate = node.require<Bytes>("fill_rate"),
      .chunk = node.require<Bytes>("chunk"),
      .efficiency = node.require_number("efficiency", Range::fraction),
      .pair_start = node.require_number("pair_start"),
      .pair_efficiency = node.require_number("pair_efficiency", Range::fraction),
  };
  node.finish();
  return s;
}

NcclGeneration::Nvls decode_nvls(Node node) {
  NcclGeneration::Nvls n{
      .efficiency = node.require_number("efficiency", Range::fraction),
      .least_ranks = node.require_count("least_ranks", 2),
      .latency = node.require<Seconds>("latency"),
      .link_efficiency = node.require_number("link_efficiency", Range::fraction),
      .overlap_norm = node.require_number("overlap_norm"),
      .channels = node.require_count("channels"),
  };
  node.finish();
  return n;
}

NcclGeneration decode_generation(Node node) {
  NcclGeneration g{
      .channels = node.require_count("channels"),
      .channel_bandwidth = node.require<BytesPerSecond>("channel_bandwidth"),
      .ll_bandwidth = node.require<BytesPerSecond>("ll_bandwidth"),
      .ring_ll128_channel = node.require<BytesPerSecond>("ring_ll128_channel"),
      .tree_ll128_channel = node.require<BytesPerSecond>("tree_ll128_channel"),
      .tree_simple_channel = node.require<BytesPerSecond>("tree_simple_channel"),
      .wide_start = std::nullopt,
      .nvls = std::nullopt,
      .tree_ll128_across = {},
      .tree_simple_across = {},
      .nvls_tree_across = {},
  };
  if (node.has("wide_start")) g.wide_start = node.require_number("wide_start", Range::non_negative);
  if (node.has("nvls")) g.nvls = decode_nvls(node.child("nvls"));
  Node across = node.require_mapping("across");
  g.tree_ll128_across = decode_by_nodes(across.require_mapping("tree_ll128_channel"));
  g.tree_simple_across = decode_by_nodes(across.require_mapping("tree_simple_channel"));
  if (g.nvls) g.nvls_tree_across = decode_by_nodes(across.require_mapping("nvls_tree_channel"));
  across.finish();
  node.read_block_source();
  node.finish();
  return g;
}

NcclLaunch decode_launch(Node node) {
  NcclLaunch l;
  l.ctas_per_ring = node.require_count("ctas_per_ring");
  l.threads = node.require_count("threads");
  Node bytes = node.require_mapping("thread_bytes");
  l.thread_bytes = {.ll = bytes.require<Bytes>("ll"),
                    .ll128 = bytes.require<Bytes>("ll128"),
                    .simple = bytes.require<Bytes>("simple")};
  bytes.finish();
  node.read_block_source();
  node.finish();
  return l;
}

NcclPcie decode_pcie(Node node) {
  NcclPcie p{
      .ll_efficiency = node.require_number("ll_efficiency", Range::fraction),
      .simple_hop = node.require<Seconds>("simple_hop", Range::non_negative),
  };
  node.finish();
  return p;
}

NcclAcross decode_across(Node node) {
  NcclAcross a;
  a.ring_hop = decode_latencies(node.require_mapping("ring_hop"));
  a.tree_hop = decode_latencies(node.require_mapping("tree_hop"));
  a.nvls_tree_hop = node.require<Seconds>("nvls_tree_hop");
  a.in_network_hop = node.require<Seconds>("in_network_hop");
  a.overhead = decode_latencies(node.require_mapping("overhead"));
  a.ll_bandwidth = decode_by_nodes(node.require_mapping("ll_bandwidth"));
  a.long_ring_hops = node.require_number("long_ring_hops");
  a.tree_ll128_share = node.require_number("tree_ll128_share", Range::fraction);
  a.pat_base = node.require<Seconds>("pat_base");
  a.pat_hop = node.require<Seconds>("pat_hop");
  a.pat_rank = node.require<Seconds>("pat_rank");
  a.pat_share = node.require_number("pat_share", Range::fraction);
  Node payload = node.require_mapping("payload");
  a.payload = {.ll = payload.require_number("ll", Range::fraction),
               .ll128 = payload.require_number("ll128", Range::fraction),
               .simple = payload.require_number("simple", Range::fraction)};
  payload.finish();
  a.nvls_tree_share = node.require_number("nvls_tree_share", Range::fraction);
  a.pair_efficiency = node.require_number("pair_efficiency", Range::fraction);
  node.read_block_source();
  node.finish();
  return a;
}

RingLibrary decode_ring_library(Node node) {
  RingLibrary r;
  r.choice = decode_choice(node.require_mapping("choice"));
  r.time = decode_time(node.require_mapping("time"));
  r.send_receive = decode_send_receive(node.require_mapping("send_receive"));
  r.launch = decode_launch(node.require_mapping("launch"));
  r.pcie = decode_pcie(node.require_mapping("pcie"));
  r.across = decode_across(node.require_mapping("across"));
  for (auto& [family, generation] : node.require_mapping("generations").members()) {
    r.generations.emplace(family, decode_generation(generation));
  }
  for (auto& [family, generation] : node.child("also").members()) {
    const auto known = r.generations.find(generation.as_text());
    if (known == r.generations.end())
      generation.fail(fmt::format("'{}' is none of the generations", generation.as_text()));
    else
      r.generations.emplace(family, known->second);
  }
  r.fallback = node.require_text("fallback");
  if (!r.generations.contains(r.fallback)) {
    node.fail_at("fallback", fmt::format("'{}' is none of the generations", r.fallback));
  }
  node.finish();
  return r;
}

// The version that the document names, one of those it has.
std::string decode_version(Node& node) {
  const std::string version = node.text_or("version", "");
  std::vector<std::string> known;
  for (const auto& [name, changes] : node.child("versions").members()) known.push_back(name);
  if (std::find(known.begin(), known.end(), version) == known.end() && !(version.empty() && known.empty()))
    node.fail_at("version", fmt::format("there is no version '{}'", version), spelling_hint(version, known));
  return version;
}

DirectLibrary decode_direct_library(Node node) {
  DirectLibrary d;
  d.start = node.require<Seconds>("start");
  Node hop = node.require_mapping("hop");
  d.ll_hop = hop.require<Seconds>("ll");
  d.simple_hop = hop.require<Seconds>("simple");
  hop.finish();
  d.ll_efficiency = node.require_number("ll_efficiency", Range::fraction);
  d.channels = node.require_count("channels");
  node.finish();
  return d;
}

}  // namespace

const NcclGeneration& RingLibrary::generation_of(const std::string& family) const {
  const auto own = generations.find(family);
  const auto used = own != generations.end() ? own : generations.find(fallback);
  MLOSIM_CHECK(used != generations.end());
  return used->second;
}

Value at_version(const Value& document) {
  const Value* version = document.find("version");
  const Value* versions = document.find("versions");
  const Value* changes = version && versions ? versions->find(version->text) : nullptr;
  return changes ? merge(document, *changes) : document;
}

NcclSpec decode_nccl(Node node) {
  NcclSpec nccl;
  node.expect_schema("mlosim/collectives/1");
  nccl.name = node.require_text("name");
  node.text_or("description", "");
  nccl.version = decode_version(node);
  if (node.has("ring")) nccl.ring = decode_ring_library(node.child("ring"));
  if (node.has("direct")) nccl.direct = decode_direct_library(node.child("direct"));
  if (!nccl.ring && !nccl.direct) {
    node.fail("neither 'ring' nor 'direct' is given", "a library prices switched fabrics, full ones, or both");
  }
  node.finish();
  return nccl;
}

}  // namespace mlosim::spec
