// How long a task takes that nothing runs beside: its price with the gaps and the waits of the way it is launched. Used
// by play() and by the closed form of programs whose tasks follow one another (sim/report/serial_report.hpp).
#pragma once

#include "sim/machine/price_book.hpp"
#include "sim/machine/program.hpp"

namespace mlosim::machine {

struct TaskTime {
  Seconds time;
  Seconds overhead;  // part of it that is launch, start and end
};

// Between kernels that the host launches one by one the gap is longer than in a graph; a host that is in step needs its
// time for each of them.
TaskTime task_time(const Program& program, const Task& task, const TaskPrice& price, const spec::LaunchSpec& launch);

}  // namespace mlosim::machine
