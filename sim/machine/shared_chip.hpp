// Tasks that run beside each other on one chip and slow each other down, on the event queue. Used by play().
//
// A task first does its overhead (launch, start, end), for which it needs nothing that others need, then its main part,
// at the speed that fair_speeds gives it among those that are in theirs. Whenever a task starts, ends or comes to its
// main part, the ends of the others move. A task that nobody slows down takes exactly its own time, to the picosecond.
#pragma once

#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/event/fluid.hpp"
#include "sim/event/simulator.hpp"

namespace mlosim::machine {

// A task while it runs; its timer fires when something of it may be over.
struct RunningTask : event::Timer {
  explicit RunningTask(event::Timer::Action on_time) : Timer(on_time) {}

  chip::ChipUse use;
  event::fluid::Wide overhead = 0, main = 0;  // what is left, in the task's own time
  double speed = 1;                           // of the main part
};

class SharedChip {
 public:
  explicit SharedChip(event::Simulator& sim) : sim_(sim) {}

  // Requires: overhead <= whole.
  void start(RunningTask& task, event::Span whole, event::Span overhead, const chip::ChipUse& use);

  // To be called when the task's timer fires: whether it is done. If so, it runs no more.
  bool ends(RunningTask& task);

 private:
  void move_to_now();
  void share();

  event::Simulator& sim_;
  std::vector<RunningTask*> running_;  // in the order of their starts
  event::Time moment_;                 // up to which they have advanced
};

}  // namespace mlosim::machine
