// A Program: what one rank of a machine runs, as a DAG of tasks on in-order streams. Built by models/plan, played by
// play().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/spec/runtime_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::machine {

enum class StreamKind { compute, communication };

struct Stream {
  std::string name;
  StreamKind kind = StreamKind::compute;
};

// An operator under the name that reports give it. Tasks of equal layers share one.
struct ProgramOp {
  std::string name;  // "layers.0.attention.qkv"
  work::Operator op;
};

struct Task {
  std::uint32_t op = 0;              // index into Program::ops
  std::uint32_t stream = 0;          // index into Program::streams
  std::vector<std::uint32_t> after;  // indices of earlier tasks; the task before it on its stream is implied
  double exposed = 1;                // share of its price's time that it takes here
  double hidden = 0;  // share that runs inside its neighbours (a collective that is cut in pieces and overlapped with
                      // the products beside it)
};

// Tasks are listed in the order in which the host issues them; dependencies point backwards.
struct Program {
  std::vector<Stream> streams;
  std::vector<ProgramOp> ops;
  std::vector<Task> tasks;
  spec::LaunchPath launch = spec::LaunchPath::graph;
  bool host_in_step = false;  // the host does not run ahead: no kernel takes less than its submission
  Seconds lead_time;          // host time before the first launch that nothing hides
};

}  // namespace mlosim::machine
