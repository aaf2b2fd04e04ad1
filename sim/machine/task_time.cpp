#include "sim/machine/task_time.hpp"

#include <algorithm>

namespace mlosim::machine {

TaskTime task_time(const Program& program, const Task& task, const TaskPrice& price, const spec::LaunchSpec& launch) {
  const bool is_eager = program.launch == spec::LaunchPath::eager;
  const Seconds gaps = is_eager ? std::max(Seconds(0), launch.stream - launch.graph) * price.kernels : Seconds(0);
  Seconds time = price.time * task.exposed + gaps;
  if (program.host_in_step) time = std::max(time, launch.submit * price.kernels);
  return {.time = time, .overhead = std::min(time, price.overhead + gaps)};
}

}  // namespace mlosim::machine
