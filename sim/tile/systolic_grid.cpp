#include "sim/tile/systolic_grid.hpp"

#include <algorithm>

#include "sim/units/check.hpp"

namespace mlosim::tile {
namespace {

double d(std::int64_t n) { return static_cast<double>(n); }

// The pipeline's time from the start of `step` to the start of `next`.
class Pipeline {
 public:
  explicit Pipeline(const SystolicMachine& machine)
      : machine_(machine), in_(shared_rate(machine, machine.in)), out_(shared_rate(machine, machine.out)) {}

  Seconds turn(const SystolicStep& step, const SystolicStep& next) const {
    const Seconds compute = machine_.cycles(step.compute());
    const Seconds bytes = next.in / in_ + step.out / out_;
    return std::max({compute, bytes, wait_for(machine_.in, next.in / in_, compute),
                     wait_for(machine_.out, step.out / out_, compute)});
  }
  Seconds first(const SystolicStep& step) const {
    return step.in > Bytes(0) ? machine_.in.latency + step.in / in_ : Seconds(0);
  }
  Seconds last(const SystolicStep& step) const {
    return step.out > Bytes(0) ? machine_.out.latency + step.out / out_ : Seconds(0);
  }

 private:
  // A buffer comes back after its transfer and the step that uses it.
  Seconds wait_for(const DmaPath& path, Seconds moved, Seconds compute) const {
    if (moved <= Seconds(0)) return Seconds(0);
    return (path.latency + moved + compute) / d(machine_.buffers);
  }

  const SystolicMachine& machine_;
  BytesPerSecond in_, out_;
};

}  // namespace

double SystolicStep::compute() const { return scalar + std::max({matrix, vector, permute}); }

std::int64_t step_count(const SystolicGrid& grid) {
  std::int64_t steps = 0;
  for (const StepRun& run : grid.runs) steps += run.count;
  return steps * grid.turns;
}

BytesPerSecond shared_rate(const SystolicMachine& machine, const DmaPath& path) {
  return std::min(path.core, path.chip / d(machine.cores));
}

GridTime estimate_grid(const SystolicMachine& machine, const SystolicGrid& grid) {
  MLOSIM_CHECK(!grid.runs.empty() && grid.turns >= 1);
  const Pipeline pipeline(machine);
  const SystolicStep& first = grid.runs.front().step;
  const SystolicStep& last = grid.runs.back().step;
  Seconds within;  // a turn of the grid, up to the start of its last step
  for (std::size_t i = 0; i < grid.runs.size(); ++i) {
    const StepRun& run = grid.runs[i];
    within += d(run.count - 1) * pipeline.turn(run.step, run.step);
    if (i + 1 < grid.runs.size()) within += pipeline.turn(run.step, grid.runs[i + 1].step);
  }
  const Seconds ends = pipeline.first(first) + pipeline.last(last);
  return {.total = ends + d(grid.turns) * within + d(grid.turns - 1) * pipeline.turn(last, first) +
                   machine.cycles(last.compute()),
          .ends = ends};
}

GridParts parts_of(const SystolicMachine& machine, const SystolicGrid& grid) {
  GridParts parts{};
  for (const StepRun& run : grid.runs) {
    const double steps = d(run.count) * d(grid.turns);
    const SystolicStep& step = run.step;
    parts.matrix += steps * machine.cycles(step.matrix);
    parts.vector += steps * machine.cycles(std::max(step.vector, step.permute));
    parts.scalar += steps * machine.cycles(step.scalar);
    parts.memory += steps * (step.in / shared_rate(machine, machine.in) + step.out / shared_rate(machine, machine.out));
  }
  return parts;
}

}  // namespace mlosim::tile
