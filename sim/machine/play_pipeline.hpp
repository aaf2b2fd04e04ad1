// Plays a pipeline of ranks on the event queue: each rank runs its chunks in the order in which it is given them, and a
// chunk starts when the one before it has ended and the message that it waits for has arrived. Which order that is
// (1F1B, interleaved, …) is the matter of models/plan.
//
// One event a chunk; messages need none. A chunk's time is a whole: what happens inside it was played before (play()).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sim/event/facts.hpp"
#include "sim/event/time.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::machine {

inline constexpr std::uint32_t kNoTask = std::numeric_limits<std::uint32_t>::max();

// What a chunk has to do with the one that follows it on its rank.
enum class JoinsNext : std::uint8_t {
  no,
  runs,   // both run as one: they start when both may and end together, after the time of the first
  sends,  // its message leaves with that of the next, not before
};

struct PipelineTask {
  std::uint32_t cost = 0;         // index into Pipeline::costs; equal chunks of a rank share one
  std::uint32_t after = kNoTask;  // task whose result it needs: a message where that ran on another rank
  JoinsNext joins_next = JoinsNext::no;
};

struct PipelineCost {
  Seconds work;
  Seconds send;  // of the message to another rank that it ends with; zero where nobody waits for one
};

// Tasks lie rank after rank, in the order in which each rank runs them.
struct Pipeline {
  std::vector<std::uint32_t> first;  // rank i runs tasks[first[i]] … tasks[first[i + 1] - 1]; one more than ranks
  std::vector<PipelineTask> tasks;
  std::vector<PipelineCost> costs;

  std::size_t ranks() const { return first.size() - 1; }
};

// What a rank does while it sends. It never waits for its receiver.
enum class SendMode {
  overlapped,  // computes on; every message takes its own time
  queued,      // computes on; its messages leave one after another, as from one communication stream
  blocking,    // nothing else
};

// A chunk has run. Facts come in the order of their ends; of chunks that run as one, in their own order.
struct PipelineFact {
  std::uint32_t rank = 0;
  std::uint32_t task = 0;  // index into Pipeline::tasks
  event::Time start;
  event::Time end;  // of the work, without the message
};

struct RankTimes {
  event::Span busy;     // in chunks
  event::Span sending;  // and nothing else (SendMode::blocking)
  event::Time start;    // of its first chunk
  event::Time end;      // of its last, its message included where that blocks
};

struct PipelineResult {
  event::Span makespan;  // to the end of the last rank
  std::vector<RankTimes> ranks;
  std::uint64_t events = 0;
  std::uint64_t checksum = 0;  // of the order of events

  event::Span bubble(std::size_t rank) const { return makespan - ranks[rank].busy - ranks[rank].sending; }
};

// `slowdown`: factor on the work of each rank, > 0, empty where all have 1. Throws InternalError that names who waits
// for what where the orders of the ranks contradict each other.
PipelineResult play_pipeline(const Pipeline& pipeline, SendMode mode, std::span<const double> slowdown,
                             const event::Facts<PipelineFact>& facts);

// Replicas of one pipeline whose ranks differ in speed. Replicas with equal slowdowns are played once.
struct ReplicaResults {
  std::vector<PipelineResult> played;    // each different replica, in the order of first appearance
  std::vector<std::uint32_t> result_of;  // replica i: played[result_of[i]]

  event::Span makespan() const;  // of the slowest
};

// `slowdowns`: of each rank of the first replica, then of the second, …; a multiple of pipeline.ranks() of them.
// `facts`: of the first replica.
ReplicaResults play_replicas(const Pipeline& pipeline, SendMode mode, std::span<const double> slowdowns,
                             const event::Facts<PipelineFact>& facts = {});

}  // namespace mlosim::machine
