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

}  // namespace

SerialReport serial_report(const machine::Program& program, machine::PriceBook& prices, const spec::LaunchSpec& launch,
                           Watts static_power) {
  SerialReport report;
  StepReport& step = report.step;
  std::vector<const machine::TaskPrice*> price_of;
  for (const machine::ProgramOp& op : program.ops) {
    price_of.push_back(&prices.price(op.op));
    step.ops.push_back(op_total(op, *price_of.back()));
    step.ops.back().pricing = prices.options();
  }
  step.makespan = program.lead_time;
  step.add_part(program.lead_time, &TimeBreakdown::overhead, chip::Resource::host);
  Seconds submitted = program.lead_time, busy;
  for (const machine::Task& task : program.tasks) {
    const machine::TaskPrice& price = *price_of[task.op];
    const auto [time, overhead] = machine::task_time(program, task, price, launch);
    step.add_task(price, time, overhead);
    step.add_work(price, task.exposed + task.hidden);
    if (price.is_collective) step.communication_total += time + price.time * task.hidden;
    step.ops[task.op].add_run(task, price, step.makespan, time);
    step.makespan += time;
    submitted += launch.submit * price.kernels;
    if (price.is_collective) continue;
    busy += time - overhead;
    add_use(report.use, price.use, (time - overhead).si());
  }
  const chip::ChipUse sum = report.use;
  report.use = {};
  if (busy > Seconds(0)) add_use(report.use, sum, 1 / busy.si());
  if (program.launch == spec::LaunchPath::eager && submitted > step.makespan) {
    step.add_part(submitted - step.makespan, &TimeBreakdown::overhead, chip::Resource::host);
    step.makespan = submitted;
  }
  step.energy += static_power * step.makespan;
  return report;
}

}  // namespace mlosim::report
