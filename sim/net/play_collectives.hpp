// Collectives played on a network, message by message: for what closed forms do not cover — failed and slow links,
// several collectives at once, odd topologies.
//
// A group is a script and the chips that its ranks are; groups may start at different times and contend for links.
// Where all messages of a step arrive at the same moment, every rank begins the next step as it began this one: such a
// collective is folded, one step of each kind played and counted as often as it occurs. That is exact, and it is found
// out, not assumed. Times are those of the network alone: a library's start is not in here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/event/time.hpp"
#include "sim/net/network.hpp"
#include "sim/net/script.hpp"

namespace mlosim::net {

struct PlayedGroup {
  const Script* script = nullptr;
  std::vector<std::uint32_t> chips{};  // of each rank: vertices of the network
  event::Time start{};
};

struct Played {
  std::vector<event::Time> ends;  // of each group: when its last rank is done
  std::string bottleneck;         // the name of the link that was busy longest
  std::uint64_t messages = 0;     // that the collectives have, played or folded
  bool is_folded = false;
};

enum class Folding {
  where_exact,
  in_step,  // groups of one script that start together: each step waits for the slowest of all, which is not less
  never,
};

// The routes between the chips of groups, found once for all plays.
class Stage {
 public:
  // Throws InputError where failed links leave no route. Network and scripts must outlive the stage.
  Stage(const Network& network, std::vector<PlayedGroup> groups);

  Played play(Folding folding = Folding::where_exact) const;

 private:
  friend class Performance;
  std::uint32_t route_of(std::size_t group, std::int32_t from, std::int32_t to) const;

  const Network& network_;
  std::vector<PlayedGroup> groups_;
  std::vector<std::vector<std::vector<std::pair<std::int32_t, std::uint32_t>>>> routes_;  // by group, rank: to, route
  std::vector<Path> paths_;
};

}  // namespace mlosim::net
