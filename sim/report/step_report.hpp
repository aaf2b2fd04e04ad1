// Reads the facts of one played program: where its time went, by cause, by resource and by operator.
//
//   compute 41 % | memory 38 % | communication 12 % | overhead 9 %
//   The parts add up to the makespan: each moment belongs to the compute task that runs then (its launch and ends are
//   overhead), else to the collective that runs, else to the host.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/chip/kernel.hpp"
#include "sim/event/facts.hpp"
#include "sim/machine/play.hpp"
#include "sim/machine/program.hpp"
#include "sim/spec/chip_spec.hpp"

namespace mlosim::report {

struct TimeBreakdown {
  Seconds compute, memory, communication_exposed, bubble, overhead, optimizer;

  Seconds total() const { return compute + memory + communication_exposed + bubble + overhead + optimizer; }
  TimeBreakdown& operator+=(const TimeBreakdown& other);
  friend TimeBreakdown operator*(TimeBreakdown breakdown, double k);
};

// One operator of the program, over all the tasks that run it.
struct OpTotal {
  std::string name;
  work::Operator op;
  double count = 0;        // tasks
  Seconds time{};          // of all of them
  Seconds each{};          // of one
  Seconds alone{};         // of one, were nothing beside it
  Seconds bound{};         // of one
  Seconds start{}, end{};  // of its first task, of its last: in the step that ran it first
  chip::Resource bound_by = chip::Resource::latency;
  bool is_collective = false;
  std::string detail{};
  std::optional<chip::KernelPrice> kernel{};  // of one; none of a collective
  machine::PriceOptions pricing{};            // how it was priced

  // One more run. Its bound is that of the shares of it which run here.
  void add_run(const machine::Task& task, const machine::TaskPrice& price, Seconds from, Seconds took);
};
OpTotal op_total(const machine::ProgramOp& op, const machine::TaskPrice& price);

// Where the energy of one chip's tasks went, beside the static power that it draws all the time.
struct EnergyParts {
  std::array<Joules, work::kDTypes.size()> matrix;  // by the arithmetic, in the order of work::DType
  Joules vector;
  Joules memory;             // the whole path from the device memory to the units
  Joules fabric, scale_out;  // of what the chip sent, over links and switches: not drawn by the chip

  Joules matrix_of(work::DType arithmetic) const { return matrix[static_cast<std::size_t>(arithmetic)]; }
  Joules in_chip() const;
  EnergyParts& operator+=(const EnergyParts& other);
  friend EnergyParts operator*(EnergyParts parts, double k);
};

// What a step, or a part of one, takes. Costs of steps that follow one another add up, member by member.
struct StepCost {
  Seconds makespan;
  TimeBreakdown breakdown;
  std::array<Seconds, chip::kResources> by_resource;  // adds up to the makespan too
  Seconds communication_total;
  // Of one chip; where the ranks of a step differ, of their mean.
  Joules energy;  // its static power and energy_parts.in_chip()
  EnergyParts energy_parts;
  Bytes device_bytes;  // that its kernels move at the device memory

  // `other` once more, `times` over: how a long run is put together from steps.
  void add(const StepCost& other, double times);
  // Says what a part of the makespan belongs to; the second of a task: what of its `time` is no overhead belongs to
  // what limits it.
  void add_part(Seconds time, Seconds TimeBreakdown::*part, chip::Resource resource);
  void add_task(const machine::TaskPrice& price, Seconds time, Seconds overhead);
  // Energy and traffic of one run, or of a share of it.
  void add_work(const machine::TaskPrice& price, double share = 1);
  // Time in which nothing but `resource` is waited for, in which `static_power` is drawn. `part` is one of breakdown.
  void wait(Seconds time, Seconds TimeBreakdown::*part, chip::Resource resource, Watts static_power);
  // The clock is down: everything takes `factor` (>= 1) times as long, and `static_power` is drawn in the time that is
  // added. What communication is exposed gets its part of the added time, compute the rest; power is what all of it
  // waits for.
  void stretch(double factor, Watts static_power);
  // How much longer than at full clock it takes where its average power would exceed the cap. Kernels above the cap
  // are allowed as long as others make up for it: the clock follows the power over many milliseconds.
  double throttle(const spec::PowerSpec& power) const;
};

struct StepReport : StepCost {
  std::vector<OpTotal> ops;  // in the program's order
  double events = 0;         // of the program and of its kernels' plays

  // Operators are matched by name.
  void add(const StepReport& other, double times);
  void stretch(double factor, Watts static_power);
};

// Collects facts; build() closes the report.
class StepReader : public event::Observer<machine::TaskFact> {
 public:
  explicit StepReader(const machine::Program& program) : program_(program) {}

  void observe(const machine::TaskFact& fact) override { facts_.push_back(fact); }
  // `static_power`: drawn all the time, besides the dynamic energy of the tasks.
  StepReport build(const machine::PlayResult& result, Watts static_power) const;

 private:
  const machine::Program& program_;
  std::vector<machine::TaskFact> facts_;
};

}  // namespace mlosim::report
