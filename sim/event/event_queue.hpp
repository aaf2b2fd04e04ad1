// The pending events in their total order: (time, phase, order of scheduling).
//
// - Events of one time and phase fire in the order in which they were scheduled.
// - An event scheduled for the current time fires at the current time: after all earlier ones of its phase and of the
//   phases before. If its phase is earlier than the one that fires now, it comes next, before the rest of that phase.
// - An event before the current time is our own mistake: MLOSIM_CHECK.
//
// Times to come are kept in a Wheel; the current time is three FIFO lanes, one a phase. Used by Simulator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/event/event.hpp"
#include "sim/event/wheel.hpp"

namespace mlosim::event {

class EventQueue {
 public:
  Time now() const { return now_; }

  void push(Time at, Phase phase, Event& event) { push(at, phase, reinterpret_cast<Wheel::Handle>(&event)); }
  void push_timer(Time at, Phase phase, Timer& timer) {
    push(at, phase, reinterpret_cast<Wheel::Handle>(static_cast<Event*>(&timer)) | kTimerBit);
  }

  struct Popped {
    Event* event;
    Phase phase;
  };
  // The next event with a time <= limit, which becomes the current time; its event is nullptr when there is none.
  Popped pop(Time limit);

  // Requires: pop(t) found nothing. Moves the current time to t.
  void skip_to(Time t);

 private:
  static constexpr unsigned kPhases = 3;
  static constexpr Wheel::Handle kPhaseBits = 3;
  static constexpr Wheel::Handle kTimerBit = 4;
  static constexpr Wheel::Handle kTagBits = kPhaseBits | kTimerBit;
  static constexpr std::size_t kPrefetchDistance = 8;

  struct Lane {
    std::vector<Wheel::Handle> handles;
    std::size_t next = 0;
  };

  static Event* event_of(Wheel::Handle handle) { return reinterpret_cast<Event*>(handle & ~kTagBits); }

  void push(Time at, Phase phase, Wheel::Handle handle) {
    if (at > now_) [[likely]] {
      wheel_.push(static_cast<std::uint64_t>(at.ps()), handle | static_cast<Wheel::Handle>(phase));
    } else {
      push_now(at, phase, handle);
    }
  }
  void push_now(Time at, Phase phase, Wheel::Handle handle);
  // Whether the event that `handle` stands for is still due at the time for which it was scheduled.
  static bool is_due(Wheel::Handle handle, Time at) {
    return (handle & kTimerBit) == 0 || static_cast<Timer*>(event_of(handle))->due() == at;
  }
  Wheel::Found fill_lanes(Time limit);
  void sort_into_lanes(Time at);

  Time now_;
  unsigned lanes_in_use_ = 0;  // bit p: lane p is not empty
  std::array<Lane, kPhases> lanes_;
  Wheel wheel_;
};

inline EventQueue::Popped EventQueue::pop(Time limit) {
  while (lanes_in_use_ == 0) {
    std::uint64_t time = 0;
    Wheel::Handle handle = 0;
    while (wheel_.take_sparse(static_cast<std::uint64_t>(limit.ps()), handle, time)) {
      const Time at(static_cast<std::int64_t>(time));
      if (!is_due(handle, at)) continue;
      now_ = at;
      return {event_of(handle), static_cast<Phase>(handle & kPhaseBits)};
    }
    if (fill_lanes(limit) == Wheel::Found::nothing) return {nullptr, Phase::complete};
  }
  const unsigned phase = static_cast<unsigned>(__builtin_ctz(lanes_in_use_));
  Lane& lane = lanes_[phase];
  const std::size_t size = lane.handles.size();
  const Wheel::Handle handle = lane.handles[lane.next++];
  if (lane.next == size) {
    lane.handles.clear();
    lane.next = 0;
    lanes_in_use_ &= lanes_in_use_ - 1;
  } else if (lane.next + kPrefetchDistance < size) {
    __builtin_prefetch(event_of(lane.handles[lane.next + kPrefetchDistance]), 1);
  }
  return {event_of(handle), static_cast<Phase>(phase)};
}

}  // namespace mlosim::event
