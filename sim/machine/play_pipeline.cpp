#include "sim/machine/play_pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "sim/event/simulator.hpp"
#include "sim/spec/diagnostics.hpp"
#include "sim/units/check.hpp"
#include "sim/units/format.hpp"

namespace mlosim::machine {
namespace {

constexpr Seconds kLongestRun(4e6);  // of all ranks together, which still counts in picoseconds
constexpr event::Time kNotYet = event::kEndOfTime;
constexpr std::uint32_t kNobody = kNoTask;

// What all replicas of a pipeline share.
struct Spans {
  struct Cost {
    double work_ps;  // of a rank without slowdown
    event::Span send;
  };

  explicit Spans(const Pipeline& pipeline) {
    MLOSIM_CHECK(pipeline.first.back() == pipeline.tasks.size());
    busy.resize(pipeline.ranks());
    for (std::size_t rank = 0; rank < pipeline.ranks(); ++rank) {
      for (std::uint32_t task = pipeline.first[rank]; task < pipeline.first[rank + 1]; ++task) {
        const PipelineCost& cost = pipeline.costs[pipeline.tasks[task].cost];
        busy[rank].work += cost.work;
        busy[rank].send += cost.send;
      }
    }
    refuse_endless_run({});
    for (const PipelineCost& cost : pipeline.costs) {
      costs.push_back(
          {.work_ps = static_cast<double>(event::to_span_up(cost.work).ps()), .send = event::to_span_up(cost.send)});
    }
  }

  // Sizes or rates that nobody can mean are wrong input, and are found out here.
  void refuse_endless_run(std::span<const double> slowdown) const {
    Seconds longest;
    for (std::size_t rank = 0; rank < busy.size(); ++rank)
      longest += busy[rank].work * (slowdown.empty() ? 1 : slowdown[rank]) + busy[rank].send;
    if (longest <= kLongestRun) return;
    throw spec::InputError(
        fmt::format("the pipeline would keep its ranks busy for {}, which is beyond what is simulated",
                    format_short(longest)),
        fmt::format("it may take {}; are its sizes and the machine's rates what you mean?", format_short(kLongestRun)));
  }

  std::vector<Cost> costs;         // as Pipeline::costs
  std::vector<PipelineCost> busy;  // each rank with all its tasks
};

class Player;

// A rank; fires at the end of each chunk, or of two that run as one.
struct RankRecord : event::Event {
  explicit RankRecord(Player& player_) : Event(&end_chunk), player(player_) {}
  static void end_chunk(event::Simulator& sim, event::Event& event);

  Player& player;
  std::uint32_t rank = 0;
  std::uint32_t next = 0, end = 0;       // its tasks that are still to run
  std::uint32_t unsent = 0;              // the first whose message has not left
  std::uint32_t waits_for = kNoTask;     // task whose message it needs to go on
  std::uint32_t also_waiting = kNobody;  // rank that waits for the same message
  double slowdown = 1;
  event::Time started;  // the chunk that runs
  event::Time free;     // to start the next chunk
  event::Time channel;  // free to send the next message (SendMode::queued)
  RankTimes times;
};

class Player {
 public:
  Player(const Pipeline& pipeline, const Spans& spans, SendMode mode, std::span<const double> slowdown,
         const event::Facts<PipelineFact>& facts)
      : pipeline_(pipeline), spans_(spans), mode_(mode), facts_(facts) {
    MLOSIM_CHECK(slowdown.empty() || slowdown.size() == pipeline.ranks());
    spans.refuse_endless_run(slowdown);
    messages_.resize(pipeline.tasks.size());
    ranks_.reserve(pipeline.ranks());
    for (std::uint32_t i = 0; i < pipeline.ranks(); ++i) {
      RankRecord& rank = ranks_.emplace_back(*this);
      rank.rank = i;
      rank.next = rank.unsent = pipeline.first[i];
      rank.end = pipeline.first[i + 1];
      if (!slowdown.empty()) rank.slowdown = slowdown[i];
      MLOSIM_CHECK(rank.slowdown > 0);
    }
  }

  PipelineResult run() {
    for (RankRecord& rank : ranks_) start_next(rank);
    const event::StallReport stall = sim_.run();
    MLOSIM_CHECK(stall.empty());
    PipelineResult result{.makespan = {}, .ranks = {}, .events = sim_.event_count(), .checksum = sim_.order_checksum()};
    result.ranks.reserve(ranks_.size());
    for (const RankRecord& rank : ranks_) {
      if (rank.next != rank.end) throw InternalError(describe_deadlock());
      result.makespan = std::max(result.makespan, rank.times.end - event::Time());
      result.ranks.push_back(rank.times);
    }
    return result;
  }

  void end_chunk(RankRecord& rank) {
    const std::uint32_t last = last_of_chunk(rank);
    rank.times.busy = rank.times.busy + (sim_.now() - rank.started);
    if (rank.next == pipeline_.first[rank.rank]) rank.times.start = rank.started;
    for (; rank.next <= last; ++rank.next) {
      facts_.emit(
          [&] { return PipelineFact{.rank = rank.rank, .task = rank.next, .start = rank.started, .end = sim_.now()}; });
    }
    rank.free = sim_.now();
    const std::uint32_t sent_from = rank.unsent;
    if (pipeline_.tasks[last].joins_next != JoinsNext::sends) {
      for (; rank.unsent <= last; ++rank.unsent) send(rank, rank.unsent);
    }
    rank.times.sending = rank.times.sending + (rank.free - sim_.now());
    rank.times.end = rank.free;
    for (std::uint32_t task = sent_from; task < rank.unsent; ++task) wake_who_waits_for(task);
    start_next(rank);
  }

 private:
  struct Message {
    event::Time arrival = kNotYet;
    std::uint32_t waiting = kNobody;  // rank that waits for it
  };

  const Spans::Cost& cost_of(std::uint32_t task) const { return spans_.costs[pipeline_.tasks[task].cost]; }

  std::uint32_t last_of_chunk(const RankRecord& rank) const {
    return pipeline_.tasks[rank.next].joins_next == JoinsNext::runs ? rank.next + 1 : rank.next;
  }

  void send(RankRecord& rank, std::uint32_t task) {
    const event::Span time = cost_of(task).send;
    event::Time departure = sim_.now();
    if (mode_ == SendMode::queued && time > event::Span()) departure = std::max(departure, rank.channel);
    const event::Time arrival = departure + time;
    messages_[task].arrival = arrival;
    rank.channel = std::max(rank.channel, arrival);
    if (mode_ == SendMode::blocking) rank.free = std::max(rank.free, arrival);
  }

  void wake_who_waits_for(std::uint32_t task) {
    for (std::uint32_t waiting = std::exchange(messages_[task].waiting, kNobody); waiting != kNobody;) {
      RankRecord& rank = ranks_[waiting];
      waiting = std::exchange(rank.also_waiting, kNobody);
      rank.waits_for = kNoTask;
      start_next(rank);
    }
  }

  // Starts the rank's next chunk, now or when its messages will be there; or has it wait for one that has not left.
  void start_next(RankRecord& rank) {
    if (rank.next == rank.end) return;
    event::Time start = std::max(sim_.now(), rank.free);
    const std::uint32_t last = last_of_chunk(rank);
    MLOSIM_CHECK(last < rank.end);
    for (std::uint32_t task = rank.next; task <= last; ++task) {
      const std::uint32_t before = pipeline_.tasks[task].after;
      if (before == kNoTask) continue;
      const bool is_own = before >= pipeline_.first[rank.rank] && before < rank.end;
      if (is_own && before < rank.next) continue;
      Message& message = messages_[before];
      if (is_own || message.arrival == kNotYet) {
        rank.waits_for = before;
        if (!is_own) rank.also_waiting = std::exchange(message.waiting, rank.rank);
        return;
      }
      start = std::max(start, message.arrival);
    }
    rank.started = start;
    const double work_ps = cost_of(rank.next).work_ps * rank.slowdown;
    sim_.schedule_at(rank, start + event::Span(static_cast<std::int64_t>(work_ps + 0.5)));
  }

  std::string name_of(std::uint32_t task) const {
    const auto after = std::upper_bound(pipeline_.first.begin(), pipeline_.first.end(), task);
    const auto rank = after - pipeline_.first.begin() - 1;
    return fmt::format("task {} of rank {}", task - pipeline_.first[rank], rank);
  }

  std::string describe_deadlock() const {
    std::string text = "the orders of the ranks contradict each other:";
    for (const RankRecord& rank : ranks_) {
      if (rank.next != rank.end) text += fmt::format(" {} waits for {};", name_of(rank.next), name_of(rank.waits_for));
    }
    text.pop_back();
    return text;
  }

  const Pipeline& pipeline_;
  const Spans& spans_;
  SendMode mode_;
  const event::Facts<PipelineFact>& facts_;
  event::Simulator sim_;
  std::vector<RankRecord> ranks_;
  std::vector<Message> messages_;  // of each task
};

void RankRecord::end_chunk(event::Simulator&, event::Event& event) {
  auto& rank = static_cast<RankRecord&>(event);
  rank.player.end_chunk(rank);
}

}  // namespace

PipelineResult play_pipeline(const Pipeline& pipeline, SendMode mode, std::span<const double> slowdown,
                             const event::Facts<PipelineFact>& facts) {
  return Player(pipeline, Spans(pipeline), mode, slowdown, facts).run();
}

event::Span ReplicaResults::makespan() const {
  event::Span longest;
  for (const PipelineResult& result : played) longest = std::max(longest, result.makespan);
  return longest;
}

ReplicaResults play_replicas(const Pipeline& pipeline, SendMode mode, std::span<const double> slowdowns,
                             const event::Facts<PipelineFact>& facts) {
  MLOSIM_CHECK(pipeline.ranks() > 0 && slowdowns.size() % pipeline.ranks() == 0);
  const event::Facts<PipelineFact> unobserved;
  const Spans spans(pipeline);
  std::map<std::vector<double>, std::uint32_t> known;
  ReplicaResults results;
  for (std::size_t at = 0; at < slowdowns.size(); at += pipeline.ranks()) {
    const std::span<const double> slowdown = slowdowns.subspan(at, pipeline.ranks());
    const auto [entry, is_new] = known.try_emplace(std::vector<double>(slowdown.begin(), slowdown.end()),
                                                   static_cast<std::uint32_t>(results.played.size()));
    if (is_new) results.played.push_back(Player(pipeline, spans, mode, slowdown, at == 0 ? facts : unobserved).run());
    results.result_of.push_back(entry->second);
  }
  return results;
}

}  // namespace mlosim::machine
