// What the event queue holds: a record that begins with a function pointer, and a timer that can be disarmed.
//
// A model derives its own record from Event and finds its state beside the pointer: one cache line an event, no
// allocation, no virtual call.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/event/time.hpp"

namespace mlosim::event {

class Simulator;

// The order of events at one time: everything that completes, then those who choose among what is free, then those who
// only look.
enum class Phase : std::uint8_t { complete, arbitrate, observe };

// A record may be scheduled several times. While it is, it must stay alive and in its place. It cannot be withdrawn:
// its action ignores what has lost its meaning, or it is a Timer.
class alignas(8) Event {
 public:
  using Action = void (*)(Simulator&, Event&);

  constexpr explicit Event(Action action) : action_(action) {}
  void fire(Simulator& sim) { action_(sim, *this); }

 private:
  Action action_;
};

// An event that is due once or not at all. Disarming and rearming are O(1): what is left in the queue is dropped when
// it comes up, and neither moves the clock nor counts as an event. Rearmed for a time for which it has been armed
// before, it keeps its first place in the order of that time.
class Timer : public Event {
 public:
  constexpr explicit Timer(Action on_time) : Event(&fire_if_due), on_time_(on_time) {}

  void arm(Simulator& sim, Time at, Phase phase = Phase::complete);
  void disarm() { due_.reset(); }
  std::optional<Time> due() const { return due_; }

 private:
  static void fire_if_due(Simulator& sim, Event& event);

  Action on_time_;
  std::optional<Time> due_;
};

}  // namespace mlosim::event
