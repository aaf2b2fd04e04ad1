#include "sim/report/serial_report.hpp"

#include <algorithm>

#include "sim/machine/task_time.hpp"

namespace mlosim::report {
namespace {

void add_use(chip::ChipUse& total, const chip::ChipUse& use, double weight) {
  total.units += use.units * weight;
  total.cache += use.cache * weight;
  total.memory += use.memory * weight;
  total.link += use.link * weight;
}

// With what each task is priced at and when it runs: run(task, price, start, time).
template <class Run>
SerialCost run_serially(const machine::Program& program, machine::PriceBook& prices, const spec::LaunchSpec& launch,
                        Watts static_power, Run run) {
  SerialCost serial;
  StepCost& cost = serial.cost;
  std::vector<const machine::TaskPrice*> price_of;
  price_of.reserve(program.ops.size());
  for (const machine::ProgramOp& op : program.ops) price_of.push_back(&prices.price(op.op));
  cost.makespan = program.lead_time;
  cost.add_part(program.lead_time, &TimeBreakdown::overhead, chip::Resource::host);
  Seconds submitted = program.lead_time, busy;
  for (const machine::Task& task : program.tasks) {
    const machine::TaskPrice& price = *price_of[task.op];
    const auto [time, overhead] = machine::task_time(program, task, price, launch);
    cost.add_task(price, time, overhead);
    cost.add_work(price, task.exposed + task.hidden);
    if (price.is_collective) cost.communication_total += time + price.time * task.hidden;
    run(task, price, cost.makespan, time);
    cost.makespan += time;
    submitted += launch.submit * price.kernels;
    if (price.is_collective) continue;
    busy += time - overhead;
    add_use(serial.use, price.use, (time - overhead).si());
  }
  const chip::ChipUse sum = serial.use;
  serial.use = {};
  if (busy > Seconds(0)) add_use(serial.use, sum, 1 / busy.si());
  if (program.launch == spec::LaunchPath::eager && submitted > cost.makespan) {
    cost.add_part(submitted - cost.makespan, &TimeBreakdown::overhead, chip::Resource::host);
    cost.makespan = submitted;
  }
  cost.energy += static_power * cost.makespan;
  return serial;
}

}  // namespace

SerialCost serial_cost(const machine::Program& program, machine::PriceBook& prices, const spec::LaunchSpec& launch,
                       Watts static_power) {
  return run_serially(program, prices, launch, static_power,
                      [](const machine::Task&, const machine::TaskPrice&, Seconds, Seconds) {});
}

StepReport serial_report(const machine::Program& program, machine::PriceBook& prices, const spec::LaunchSpec& launch,
                         Watts static_power) {
  StepReport step;
  for (const machine::ProgramOp& op : program.ops) {
    step.ops.push_back(op_total(op, prices.price(op.op)));
    step.ops.back().pricing = prices.options();
  }
  static_cast<StepCost&>(step) =
      run_serially(program, prices, launch, static_power,
                   [&](const machine::Task& task, const machine::TaskPrice& price, Seconds start, Seconds time) {
                     step.ops[task.op].add_run(task, price, start, time);
                   })
          .cost;
  return step;
}

}  // namespace mlosim::report
