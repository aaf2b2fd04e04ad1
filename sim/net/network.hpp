// A network as a graph: chips, switches and what else stands between them, joined by directed links with a bandwidth, a
// latency and a name; and the routes through it.
//
// Not a model of time: sim/net/flows shares the links. build_network makes one of a system.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/units/quantity.hpp"

namespace mlosim::net {

struct Link {
  std::uint32_t from = 0, to = 0;  // vertices
  BytesPerSecond bandwidth;        // 0: failed
  Seconds latency;
  std::string name;
  std::uint32_t weight = 1;  // of the way, when routes are chosen
};

using Path = std::vector<std::uint32_t>;  // links, in order

class Network {
 public:
  // Chips come first, in the system's numbering. `spread` decides among routes of equal length to this vertex.
  std::uint32_t add_vertex(std::uint32_t spread = 0);
  // A link each way, "<name>" and "<name>.back"; answers the number of the first, the second is the next.
  std::uint32_t add_links(std::uint32_t a, std::uint32_t b, BytesPerSecond bandwidth, Seconds latency,
                          const std::string& name, std::uint32_t weight = 1);

  std::uint32_t vertex_count() const { return static_cast<std::uint32_t>(spread_.size()); }
  const std::vector<Link>& links() const { return links_; }

  // Sets the bandwidth of a link and of its way back. Answers false where no link has this name.
  bool set_bandwidth(const std::string& name, BytesPerSecond bandwidth);

  // For each pair {from, to} the lightest way of links that have not failed. Among equal ones each step takes
  // number (spread of `to`) modulo how many there are, in the order in which links were added: the same in every run,
  // and destinations side by side are spread over parallel links. Throws InputError where there is no way.
  std::vector<Path> routes(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs) const;

 private:
  std::vector<std::uint32_t> spread_;  // by vertex
  std::vector<Link> links_;
};

}  // namespace mlosim::net
