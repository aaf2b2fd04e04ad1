// Plays a program on a machine: streams run their tasks in order, a task starts when the host has issued it and what it
// waits for is done. Everything happens on the event queue; reports read the facts that come out.
#pragma once

#include <cstdint>

#include "sim/event/facts.hpp"
#include "sim/event/time.hpp"
#include "sim/machine/price_book.hpp"
#include "sim/machine/program.hpp"

namespace mlosim::machine {

// A task has run. Facts come in the order of their ends; equal ends in the order in which the tasks were started.
struct TaskFact {
  std::uint32_t task = 0;  // index into Program::tasks
  event::Time start;
  event::Time end;
  event::Span overhead;  // of launch, start and end: no other task of the chip makes it longer
  const TaskPrice* price = nullptr;
};

struct PlayResult {
  event::Span makespan;  // from the first call of the host to the end of the last task
  std::uint64_t events = 0;
  std::uint64_t checksum = 0;  // of the order of events: equal runs give equal ones; 0 where tiles were played
};

// Requires: dependencies point backwards. After the program's lead time, launches follow its launch path:
//   graph, compiled: tasks start back to back (their fixed times include the gap);
//   eager: the host submits kernel after kernel, `launch.submit` each, and each kernel's gap grows from the graph's to
//   the stream's.
PlayResult play(const Program& program, PriceBook& prices, const spec::LaunchSpec& launch,
                const event::Facts<TaskFact>& facts);

}  // namespace mlosim::machine
