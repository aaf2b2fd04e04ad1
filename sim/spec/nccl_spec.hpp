// A collective library: the constants by which NCCL chooses an algorithm and a
// protocol, and those of our own time model of what was chosen. The formulas stand in sim/net;
// hw_specs/families/{nccl,rccl}.yaml hold the numbers.
//
// The two sets are kept apart on purpose: NCCL's predictor is a poor clock, but it is what chooses.
// "Memory latencies" are multiples of the chip's device-memory latency: every hop and every step of a kernel's start is
// a chain of dependent accesses to device memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/dtype.hpp"

namespace mlosim::spec {

enum class NcclAlgorithm { ring, tree, nvls };
enum class NcclProtocol {
  ll,      // 8-byte stores that carry a 4-byte flag each: no synchronisation, half of the bandwidth
  ll128,   // 128-byte lines with an 8-byte flag
  simple,  // whole chunks with a fence
};

inline constexpr std::array kNcclProtocols{NcclProtocol::ll, NcclProtocol::ll128, NcclProtocol::simple};

// One figure for each protocol; `figures[protocol]`.
template <class T>
struct ByProtocol {
  T ll{}, ll128{}, simple{};

  const T& operator[](NcclProtocol protocol) const {
    return protocol == NcclProtocol::ll ? ll : protocol == NcclProtocol::ll128 ? ll128 : simple;
  }
};

// One figure for two nodes, one for more.
template <class T>
struct ByNodes {
  T two{}, more{};

  const T& at(std::int64_t nodes) const { return nodes <= 2 ? two : more; }
};

// What NCCL's tuning tables say of one GPU generation, for ranks inside one node. The tables go by generation, whatever
// the links of a system carry: a what-if link speed changes times and no choice.
struct NcclGeneration {
  struct Nvls {
    double efficiency = 1;         // of the ring bandwidth, in NCCL's prediction
    std::int64_t least_ranks = 2;  // that it is chosen for
    Seconds latency;               // time model
    double link_efficiency = 1;    // time model: of the link bandwidth
    double overlap_norm = 1;  // time model: p of (latencyᵖ + volumeᵖ)^(1/p); below 1 the bandwidth ramps up slowly
    std::int64_t channels = 1;  // CTAs of its kernel
  };

  std::int64_t channels = 1;           // rings that the topology search finds
  BytesPerSecond channel_bandwidth;    // of each
  BytesPerSecond ll_bandwidth;         // llMaxBw
  BytesPerSecond ring_ll128_channel;   // perChMaxRingLL128
  BytesPerSecond tree_ll128_channel;   // perChMaxTreeLL128
  BytesPerSecond tree_simple_channel;  // perChMaxTree
  std::optional<double> wide_start;    // time model: where it is not NcclTimeModel's
  std::optional<Nvls> nvls;            // in-switch reduction
  // Of a channel that leaves the node: perChMaxTreeLL128, perChMaxTree, perChMaxNVLSTree.
  ByNodes<BytesPerSecond> tree_ll128_across, tree_simple_across, nvls_tree_across;
};

// The predictor that NCCL chooses by: time = base + steps · hop + bytes/bandwidth.
struct NcclChoiceModel {
  ByProtocol<Seconds> ring_base, tree_base;
  ByProtocol<Seconds> ring_hop, tree_hop;
  Seconds nvls_latency;
  std::vector<work::DType> nvls_dtypes;  // that a switch can reduce
  double ll_share = 1;                   // of the ring bandwidth, LL
  double ll128_share = 1;                // LL128 on a ring, and Simple on a tree
  double tree_ll_share = 1;
  double tree_ll128_share = 1;
  Bytes tree_correction_start;  // bytes of the first entry of tree_correction; each next one is twice as large
  ByProtocol<std::vector<double>> tree_correction;  // of the tree's bandwidth
};

// Time of a ring or tree of known protocol; symbols of sim/net/nccl_time.hpp.
struct NcclTimeModel {
  double start = 0;                // t0: memory latencies
  Seconds extra_start;             // e: of a version whose kernels start later, sends and receives included
  double wide_start = 0;           // dt0: memory latencies more with all threads and channels
  double ll_hop = 0;               // h0: memory latencies
  double ll_line_clocks = 0;       // dk: clk of a channel's loop over one line
  Bytes ll_line;                   // what the threads of a channel carry in a step
  double ll_efficiency = 1;        // fLL: of the link bandwidth
  double ll_local_efficiency = 1;  // lLL: of the link bandwidth, for the step that stays on the chip
  double ll128_hop = 0;            // h128: memory latencies
  double ll128_efficiency = 1;     // f128
  double simple_hop = 0;           // hS: memory latencies
  double simple_efficiency = 1;    // fS
  double local_efficiency = 1;     // lS: of the link bandwidth, LL128's and Simple's step that stays on the chip
  double overlap_norm = 1;         // q of (hopᑫ + volumeᑫ)^(1/q)
};

// How sends and receives are cut, and how long that takes: all-to-all and point to point. Symbols of
// sim/net/send_receive.hpp.
struct NcclSendReceive {
  // How the library cuts what goes to one peer.
  std::int64_t channels = 1;            // shared by all peers
  Bytes ll_largest;                     // LL carries at most so much to a peer, times the channels that count
  bool ll_counts_all_channels = false;  // all of the library's, or those that the message opens
  Bytes ll_part, part;                  // a channel more is opened for each, by LL and by Simple
  // What it takes.
  double start = 0;           // t0p: memory latencies
  double start_clocks = 0;    // k0p: clk
  double peer = 0;            // hp: memory latencies per peer
  double ll_line_clocks = 0;  // kp: clk of a channel's round over one line
  double simple_start = 0;    // hSp: memory latencies
  Bytes channel_rate;         // r: per clk, of one channel
  Bytes fill_rate;            // rf: per clk, of the first chunk of a channel, which the receiver waits for
  Bytes chunk;
  double efficiency = 1;       // fP: of the link bandwidth
  double pair_start = 0;       // t2: memory latencies, one sender and one receiver
  double nvls_tree_share = 1;  // of in-switch reduction's pace inside a node that a tree over nodes leaves it
  double pair_efficiency = 1;  // f2
};

// How large a kernel the library launches.
struct NcclLaunch {
  std::int64_t ctas_per_ring = 1;  // channels that run on one ring of the search
  std::int64_t threads = 1;        // of a channel
  ByProtocol<Bytes> thread_bytes;  // that each thread must have before the next channel is worth it
};

// Rings over PCIe, where the path that the ranks share binds instead of the link.
struct NcclPcie {
  double ll_efficiency = 1;  // of the shared path
  Seconds simple_hop;        // beside the hop that any protocol takes
};

// Steps between nodes: what the tuning tables say of them, by which the library chooses and which our times take too.
// Beyond them come the switches of a network with more than one (ScaleOut::hop_latency).
struct NcclAcross {
  ByProtocol<Seconds> ring_hop, tree_hop;
  Seconds nvls_tree_hop, in_network_hop;
  ByProtocol<Seconds> overhead;          // least of a step inside a node when others leave it, in NCCL's prediction
  ByNodes<BytesPerSecond> ll_bandwidth;  // llMaxBw
  double long_ring_hops = 1;             // in NCCL's prediction of all-reduces by Simple
  double tree_ll128_share = 1;
  Seconds pat_base, pat_hop, pat_rank;  // PAT: one rank a node, all-gather and reduce-scatter
  double pat_share = 1;                 // of the ring bandwidth, in NCCL's prediction
  ByProtocol<double> payload;           // of the bytes on the wire
  double nvls_tree_share = 1;           // of in-switch reduction's pace inside a node that a tree over nodes leaves it
  double pair_efficiency = 1;           // of the adapter, one sender and one receiver
};

// A library for switched fabrics, and for PCIe where a system names it.
struct RingLibrary {
  NcclChoiceModel choice;
  NcclTimeModel time;
  NcclSendReceive send_receive;
  NcclLaunch launch;
  NcclPcie pcie;
  NcclAcross across;
  std::map<std::string, NcclGeneration> generations;  // by ChipSpec::family, `also:` resolved
  std::string fallback;                               // generation of families that have no entry

  // The tables for chips of `family`.
  const NcclGeneration& generation_of(const std::string& family) const;
};

// A library for fabrics with a link between each two chips: every rank exchanges with all others at once.
struct DirectLibrary {
  Seconds start;
  Seconds ll_hop, simple_hop;  // of one exchange; xGMI has no LL128
  double ll_efficiency = 1;    // of what a long transfer sustains
  std::int64_t channels = 1;   // CTAs of the kernel
};

struct NcclSpec {
  std::string name;
  std::string version;                  // empty: the library has but one
  std::optional<RingLibrary> ring;      // for switched fabrics
  std::optional<DirectLibrary> direct;  // for full fabrics
};

// The document of the version that it names, `versions: {<version>: …}` laid over it. Unchanged where it has no such
// version, which decode_nccl reports.
Value at_version(const Value& document);

// Decodes schema mlosim/collectives/1.
NcclSpec decode_nccl(Node node);

}  // namespace mlosim::spec
