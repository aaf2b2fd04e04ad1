#include "sim/net/network.hpp"

#include <algorithm>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <limits>
#include <numeric>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::net {
namespace {

struct Way {
  std::uint32_t weight;
};
using Graph = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, Way>;
constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

// Links to each vertex, against their direction: a search from a destination finds how far everything is from it.
Graph against_links(const std::vector<Link>& links, std::uint32_t vertices) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  std::vector<Way> ways;
  for (const Link& link : links) {
    if (link.bandwidth <= BytesPerSecond(0)) continue;
    edges.emplace_back(link.to, link.from);
    ways.push_back({link.weight});
  }
  return Graph(boost::edges_are_unsorted_multi_pass, edges.begin(), edges.end(), ways.begin(), vertices);
}

// Ends a search once it has come to all that were asked for.
struct AllFound {};
class Until : public boost::dijkstra_visitor<> {
 public:
  // `wanted`: by vertex, how many ask for it; `left`: all of them.
  Until(const std::vector<std::uint32_t>& wanted, std::size_t* left) : wanted_(&wanted), left_(left) {}
  void examine_vertex(std::size_t vertex, const Graph&) {
    *left_ -= (*wanted_)[vertex];
    if (*left_ == 0) throw AllFound();
  }

 private:
  const std::vector<std::uint32_t>* wanted_;
  std::size_t* left_;
};

// Weights of the ways from `sources` and from all that is nearer than the farthest of them.
std::vector<std::uint32_t> distances_to(std::uint32_t destination, const std::vector<std::uint32_t>& sources,
                                        const Graph& graph) {
  std::vector<std::uint32_t> distance(boost::num_vertices(graph), kNowhere);
  std::vector<std::uint32_t> wanted(distance.size());
  for (const std::uint32_t source : sources) ++wanted[source];
  std::size_t left = sources.size();
  try {
    boost::dijkstra_shortest_paths(
        graph, destination,
        boost::weight_map(boost::get(&Way::weight, graph))
            .distance_map(boost::make_iterator_property_map(distance.begin(), boost::get(boost::vertex_index, graph)))
            .visitor(Until(wanted, &left)));
  } catch (const AllFound&) {
  }
  return distance;
}

// Live links out of each vertex, in the order in which they were added.
std::vector<Path> links_out(const std::vector<Link>& links, std::uint32_t vertices) {
  std::vector<Path> out(vertices);
  for (std::uint32_t i = 0; i < links.size(); ++i)
    if (links[i].bandwidth > BytesPerSecond(0)) out[links[i].from].push_back(i);
  return out;
}

}  // namespace

std::uint32_t Network::add_vertex(std::uint32_t spread) {
  spread_.push_back(spread);
  return vertex_count() - 1;
}

std::uint32_t Network::add_links(std::uint32_t a, std::uint32_t b, BytesPerSecond bandwidth, Seconds latency,
                                 const std::string& name, std::uint32_t weight) {
  links_.push_back({.from = a, .to = b, .bandwidth = bandwidth, .latency = latency, .name = name, .weight = weight});
  links_.push_back(
      {.from = b, .to = a, .bandwidth = bandwidth, .latency = latency, .name = name + ".back", .weight = weight});
  return static_cast<std::uint32_t>(links_.size()) - 2;
}

bool Network::set_bandwidth(const std::string& name, BytesPerSecond bandwidth) {
  const auto found = std::find_if(links_.begin(), links_.end(), [&](const Link& link) { return link.name == name; });
  if (found == links_.end()) return false;
  found->bandwidth = bandwidth;
  std::next(found)->bandwidth = bandwidth;
  return true;
}

std::vector<Path> Network::routes(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs) const {
  const Graph graph = against_links(links_, vertex_count());
  const std::vector<Path> out = links_out(links_, vertex_count());
  // Pairs with one destination share a search.
  std::vector<std::uint32_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return pairs[a].second < pairs[b].second; });
  std::vector<Path> paths(pairs.size());
  std::vector<std::uint32_t> distance, sources;
  std::uint32_t destination = kNowhere;
  for (std::size_t n = 0; n < order.size(); ++n) {
    const std::uint32_t i = order[n];
    if (pairs[i].second != destination) {
      destination = pairs[i].second;
      sources.clear();
      for (std::size_t same = n; same < order.size() && pairs[order[same]].second == destination; ++same)
        sources.push_back(pairs[order[same]].first);
      distance = distances_to(destination, sources, graph);
    }
    std::uint32_t at = pairs[i].first;
    if (distance[at] == kNowhere)
      throw spec::InputError("failed links leave chips that cannot reach each other",
                             "take a link out of 'failed', or give it a bandwidth under 'degraded'");
    while (at != destination) {
      Path nearer;
      for (const std::uint32_t link : out[at])
        if (const std::uint32_t next = distance[links_[link].to];
            next < distance[at] && next + links_[link].weight == distance[at])
          nearer.push_back(link);
      paths[i].push_back(nearer[spread_[destination] % nearer.size()]);
      at = links_[paths[i].back()].to;
    }
  }
  return paths;
}

}  // namespace mlosim::net
