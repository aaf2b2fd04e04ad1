#include "sim/net/play_collectives.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "sim/event/simulator.hpp"
#include "sim/net/flows.hpp"

namespace mlosim::net {

namespace {

std::uint64_t messages_of(const Script& script) {
  std::uint64_t messages = 0;
  std::map<std::int32_t, std::uint64_t> of_kind;
  std::vector<Send> sends;
  for (std::int32_t step = 0; step < script.steps(); ++step) {
    const auto [known, is_new] = of_kind.try_emplace(script.kind(step), 0);
    for (std::int32_t rank = 0; is_new && rank < script.ranks(); ++rank) {
      sends.clear();
      script.sends(rank, step, sends);
      known->second += sends.size();
    }
    messages += known->second;
  }
  return messages;
}

}  // namespace

// One run of a stage.
class Performance {
 public:
  explicit Performance(const Stage& stage) : stage_(stage), flows_(sim_, stage.network_, stage.paths_) {}

  // All steps of all groups, rank by rank.
  Played play_all() {
    Played played;
    for (std::size_t g = 0; g < stage_.groups_.size(); ++g) {
      const PlayedGroup& group = stage_.groups_[g];
      Group& state = groups_.emplace_back(*this, g, *group.script);
      state.ranks.resize(static_cast<std::size_t>(group.script->ranks()));
      for (Rank& rank : state.ranks) rank.arrived.assign(static_cast<std::size_t>(group.script->steps()), 0);
      sim_.schedule_at(state, group.start);
    }
    MLOSIM_CHECK(sim_.run().empty());
    for (const Group& group : groups_) played.ends.push_back(group.end);
    played.bottleneck = stage_.network_.links()[flows_.busiest()].name;
    played.messages = messages_;
    return played;
  }

  // One step of every group, until its last message has come; nothing where `exactly` is asked for and its messages do
  // not all arrive together, or some rank waits for none.
  std::optional<event::Span> play_step(std::int32_t step, bool exactly) {
    std::optional<event::Time> first;
    event::Time end;
    for (std::size_t g = 0; g < stage_.groups_.size(); ++g) {
      const Script& script = *stage_.groups_[g].script;
      Group& state = groups_.emplace_back(*this, g, script);
      state.is_single_step = true;
      for (std::int32_t rank = 0; rank < script.ranks(); ++rank) {
        if (exactly && script.receives(rank, step) == 0) return std::nullopt;
        send(state, rank, step);
      }
    }
    MLOSIM_CHECK(sim_.run().empty());
    for (const Group& group : groups_) {
      end = std::max(end, group.end);
      if (group.first) first = std::min(first.value_or(*group.first), *group.first);
    }
    if (exactly && first != end) return std::nullopt;
    return end - event::Time();
  }

  std::uint32_t busiest() const { return flows_.busiest(); }

 private:
  struct Rank {
    std::int32_t step = 0;
    std::int32_t unsent = 0;             // messages of this step that are still under way
    std::vector<std::uint16_t> arrived;  // messages, by step
  };
  struct Group : event::Event {
    Group(Performance& p, std::size_t n, const Script& s) : Event(&begin), performance(p), number(n), script(s) {}
    static void begin(event::Simulator&, event::Event& event) {
      Group& group = static_cast<Group&>(event);
      for (std::int32_t rank = 0; rank < group.script.ranks(); ++rank) group.performance.go_on(group, rank);
    }
    Performance& performance;
    std::size_t number;
    const Script& script;
    std::vector<Rank> ranks;
    std::optional<event::Time> first;  // arrival of the first message
    event::Time end;
    bool is_single_step = false;
  };
  struct Message : event::Event {
    Message() : Event(&arrive) {}
    static void arrive(event::Simulator&, event::Event& event) {
      Message& message = static_cast<Message&>(event);
      message.group->performance.take(message);
    }
    Group* group = nullptr;
    std::int32_t from = 0, to = 0, step = 0;
    Message* next_free = nullptr;
  };

  void send(Group& group, std::int32_t rank, std::int32_t step) {
    sends_.clear();
    group.script.sends(rank, step, sends_);
    if (!group.is_single_step)
      group.ranks[static_cast<std::size_t>(rank)].unsent = static_cast<std::int32_t>(sends_.size());
    for (const Send& s : sends_) {
      Message& message = new_message();
      message.group = &group;
      message.from = rank;
      message.to = s.to;
      message.step = step;
      flows_.start(stage_.route_of(group.number, rank, s.to), s.bytes, message);
    }
    messages_ += sends_.size();
  }

  void take(Message& message) {
    Group& group = *message.group;
    group.end = sim_.now();
    if (!group.first) group.first = sim_.now();
    const std::int32_t from = message.from, to = message.to, step = message.step;
    message.next_free = free_;
    free_ = &message;
    if (group.is_single_step) return;
    --group.ranks[static_cast<std::size_t>(from)].unsent;
    ++group.ranks[static_cast<std::size_t>(to)].arrived[static_cast<std::size_t>(step)];
    finish_steps(group, from);
    if (to != from) finish_steps(group, to);
  }

  void go_on(Group& group, std::int32_t rank) {
    if (group.script.steps() == 0) return;
    send(group, rank, 0);
    finish_steps(group, rank);
  }

  // Begins the steps that nothing keeps a rank from.
  void finish_steps(Group& group, std::int32_t rank) {
    Rank& state = group.ranks[static_cast<std::size_t>(rank)];
    while (state.step < group.script.steps() && state.unsent == 0 &&
           state.arrived[static_cast<std::size_t>(state.step)] >= group.script.receives(rank, state.step)) {
      if (++state.step < group.script.steps()) send(group, rank, state.step);
    }
  }

  Message& new_message() {
    if (!free_) return pool_.emplace_back();
    Message& message = *free_;
    free_ = message.next_free;
    return message;
  }

  const Stage& stage_;
  event::Simulator sim_;
  Flows flows_;
  std::deque<Group> groups_;
  std::deque<Message> pool_;
  Message* free_ = nullptr;
  std::vector<Send> sends_;
  std::uint64_t messages_ = 0;
};

Stage::Stage(const Network& network, std::vector<PlayedGroup> groups) : network_(network), groups_(std::move(groups)) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  std::vector<Send> sends;
  for (const PlayedGroup& group : groups_) {
    const Script& script = *group.script;
    MLOSIM_CHECK(group.chips.size() == static_cast<std::size_t>(script.ranks()));
    auto& of_group = routes_.emplace_back(static_cast<std::size_t>(script.ranks()));
    std::vector<bool> is_known;
    for (std::int32_t step = 0; step < script.steps(); ++step) {
      const auto kind = static_cast<std::size_t>(script.kind(step));
      if (kind >= is_known.size()) is_known.resize(kind + 1);
      if (is_known[kind]) continue;
      is_known[kind] = true;
      for (std::int32_t rank = 0; rank < script.ranks(); ++rank) {
        sends.clear();
        script.sends(rank, step, sends);
        auto& known = of_group[static_cast<std::size_t>(rank)];
        for (const Send& s : sends) {
          if (std::any_of(known.begin(), known.end(), [&](const auto& route) { return route.first == s.to; })) continue;
          known.emplace_back(s.to, static_cast<std::uint32_t>(pairs.size()));
          pairs.emplace_back(group.chips[static_cast<std::size_t>(rank)], group.chips[static_cast<std::size_t>(s.to)]);
        }
      }
    }
    for (auto& of_rank : of_group) std::sort(of_rank.begin(), of_rank.end());
  }
  paths_ = network.routes(pairs);
}

std::uint32_t Stage::route_of(std::size_t group, std::int32_t from, std::int32_t to) const {
  const auto& routes = routes_[group][static_cast<std::size_t>(from)];
  if (routes.size() == 1) return routes.front().second;
  return std::lower_bound(routes.begin(), routes.end(), std::pair<std::int32_t, std::uint32_t>(to, 0))->second;
}

Played Stage::play(Folding folding) const {
  const bool exactly = folding == Folding::where_exact;
  if (folding == Folding::never || (exactly && groups_.size() != 1)) return Performance(*this).play_all();
  const Script& script = *groups_.front().script;
  std::map<std::int32_t, std::int64_t> occurrences;
  for (std::int32_t step = 0; step < script.steps(); ++step) ++occurrences[script.kind(step)];
  Played played{.ends = {groups_.front().start}, .bottleneck = {}, .messages = messages_of(script), .is_folded = true};
  for (const PlayedGroup& group : groups_) MLOSIM_CHECK(group.script == &script && group.start == played.ends.front());
  event::Span longest(-1);
  for (std::int32_t step = 0; step < script.steps(); ++step) {
    const auto kind = occurrences.find(script.kind(step));
    if (kind == occurrences.end()) continue;  // played
    Performance performance(*this);
    const std::optional<event::Span> span = performance.play_step(step, exactly);
    if (!span) return Performance(*this).play_all();
    const event::Span together = *span * kind->second;
    occurrences.erase(kind);
    played.ends.front() = played.ends.front() + together;
    if (together <= longest) continue;
    longest = together;
    played.bottleneck = network_.links()[performance.busiest()].name;
  }
  played.ends.assign(groups_.size(), played.ends.front());
  played.messages *= groups_.size();
  return played;
}

}  // namespace mlosim::net
