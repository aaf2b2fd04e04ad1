// A case: something that can be measured, over axes. This is its host half, which lists and plans without a GPU; its
// device half (bench.hpp) prepares buffers and launches for one state. Neither half writes rows: the runner does.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "validate/cuda/measure/axis.hpp"
#include "validate/cuda/measure/device_facts.hpp"
#include "validate/cuda/measure/row.hpp"

namespace mlosim::measure {

using Seconds = std::chrono::duration<double>;

// Cases of a group measure one resource; a short run takes from every group in turn.
enum class Group { memory, launch, peak, gemm, elementwise, sustained, collective };
const char* to_string(Group group);
const std::vector<Group>& all_groups();

// What one state will measure.
struct Plan {
  Cells identity;  // op, dtype and the case's keys; with the device these name the row, so that --resume finds it
  Seconds launch_guess{0};  // of one launch, from bytes and flops at the nominal rates; orders and budgets the run
  std::int64_t memory_bytes = 0;  // device memory of all its buffers; a state that exceeds the free memory is skipped
  // Time on the device where it does not follow from the stopping criterion (sustained runs); zero: it does.
  Seconds fixed_time{0};
};

// A state that cannot or need not run, and why, in words for the user.
struct Skip {
  std::string reason;
};

using Planned = std::variant<Plan, Skip>;

struct Options {  // of the command line, those that change what a state is
  Seconds sustained{10};
};

struct Case {
  std::string name;  // "memory.copy"; unique
  Group group = Group::memory;
  std::string summary;  // one line for --list
  std::vector<Axis> axes;
  std::vector<std::string> keys;     // columns of `identity` besides op and dtype
  std::vector<std::string> results;  // columns of the bench's results; none is a key, of whatever case
  std::function<Planned(const State&, const DeviceFacts&, const Options&)> plan;
  std::string absent;  // why this build does not have it; empty where it has
};

// Of the larger of its two terms; rates of zero are no term.
Seconds roofline_guess(double bytes, double bytes_per_s, double flops, double flops_per_s);

// Every case in the order of --list. Names are unique.
std::vector<Case> all_cases();

}  // namespace mlosim::measure
