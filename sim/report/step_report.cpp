#include "sim/report/step_report.hpp"

#include <algorithm>
#include <map>

namespace mlosim::report {
namespace {

using machine::StreamKind;
using machine::TaskFact;

bool is_compute_bound(chip::Resource limiter) {
  return limiter == chip::Resource::matrix_unit || limiter == chip::Resource::vector_unit ||
         limiter == chip::Resource::power;
}

// A stretch of a run during which the set of running tasks does not change.
struct Edge {
  event::Time at;
  bool is_start;
  std::uint32_t fact;
};

void account(StepReport& report, const TaskFact* compute, const TaskFact* collective, Seconds length) {
  const TaskFact* fact = compute ? compute : collective;
  if (!fact) return report.add_part(length, &TimeBreakdown::overhead, chip::Resource::host);
  // Launch and ends are spread over the task's own time.
  const event::Span whole = fact->end - fact->start;
  const double share = whole > event::Span() ? event::to_seconds(fact->overhead) / event::to_seconds(whole) : 1;
  report.add_task(*fact->price, length, length * share);
}

}  // namespace

TimeBreakdown& TimeBreakdown::operator+=(const TimeBreakdown& other) {
  compute += other.compute;
  memory += other.memory;
  communication_exposed += other.communication_exposed;
  bubble += other.bubble;
  overhead += other.overhead;
  optimizer += other.optimizer;
  return *this;
}

TimeBreakdown operator*(TimeBreakdown b, double k) {
  b.compute *= k;
  b.memory *= k;
  b.communication_exposed *= k;
  b.bubble *= k;
  b.overhead *= k;
  b.optimizer *= k;
  return b;
}

Joules EnergyParts::in_chip() const {
  Joules sum = vector + memory;
  for (const Joules energy : matrix) sum += energy;
  return sum;
}

EnergyParts& EnergyParts::operator+=(const EnergyParts& other) {
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] += other.matrix[i];
  vector += other.vector;
  memory += other.memory;
  fabric += other.fabric;
  scale_out += other.scale_out;
  return *this;
}

EnergyParts operator*(EnergyParts parts, double k) {
  for (Joules& energy : parts.matrix) energy *= k;
  parts.vector *= k;
  parts.memory *= k;
  parts.fabric *= k;
  parts.scale_out *= k;
  return parts;
}

OpTotal op_total(const machine::ProgramOp& op, const machine::TaskPrice& price) {
  return {.name = op.name,
          .op = op.op,
          .alone = price.time,
          .bound_by = price.bound_by,
          .is_collective = price.is_collective,
          .detail = price.detail,
          .kernel = price.kernel};
}

void OpTotal::add_run(const machine::Task& task, const machine::TaskPrice& price, Seconds from, Seconds took) {
  start = count > 0 ? std::min(start, from) : from;
  end = std::max(end, from + took);
  count += 1;
  time += took;
  each = time / count;
  // What runs inside its neighbours is no part of the time here, nor of the bound.
  bound += (price.bound * task.exposed - bound) / count;
}

void StepCost::add(const StepCost& other, double times) {
  makespan += other.makespan * times;
  breakdown += other.breakdown * times;
  for (std::size_t i = 0; i < by_resource.size(); ++i) by_resource[i] += other.by_resource[i] * times;
  communication_total += other.communication_total * times;
  energy += other.energy * times;
  energy_parts += other.energy_parts * times;
  device_bytes += other.device_bytes * times;
}

void StepCost::add_part(Seconds time, Seconds TimeBreakdown::*part, chip::Resource resource) {
  breakdown.*part += time;
  by_resource[static_cast<std::size_t>(resource)] += time;
}

void StepCost::add_task(const machine::TaskPrice& price, Seconds time, Seconds overhead) {
  if (price.is_collective) return add_part(time, &TimeBreakdown::communication_exposed, price.limiter);
  add_part(time - overhead, is_compute_bound(price.limiter) ? &TimeBreakdown::compute : &TimeBreakdown::memory,
           price.limiter);
  add_part(overhead, &TimeBreakdown::overhead, chip::Resource::launch);
}

void StepCost::add_work(const machine::TaskPrice& price, double share) {
  energy += share * price.dynamic_energy;
  energy_parts.fabric += share * price.fabric_energy;
  energy_parts.scale_out += share * price.scale_out_energy;
  if (!price.kernel) {
    energy_parts.memory += share * price.dynamic_energy;
    return;
  }
  const chip::EnergyByPart& own = price.kernel->energy_by_part;
  energy_parts.matrix[static_cast<std::size_t>(price.kernel->work.matrix_dtype)] += share * own.matrix;
  energy_parts.vector += share * own.vector;
  energy_parts.memory += share * own.memory;
  device_bytes += share * (price.kernel->plan.device_read + price.kernel->plan.device_written);
}

void StepCost::wait(Seconds time, Seconds TimeBreakdown::*part, chip::Resource resource, Watts static_power) {
  makespan += time;
  energy += time * static_power;
  add_part(time, part, resource);
}

void StepCost::stretch(double factor, Watts static_power) {
  const Seconds added = makespan * (factor - 1);
  const Seconds exposed = breakdown.communication_exposed * (factor - 1);
  wait(added - exposed, &TimeBreakdown::compute, chip::Resource::power, static_power);
  wait(exposed, &TimeBreakdown::communication_exposed, chip::Resource::power, static_power);
  communication_total *= factor;
}

double StepCost::throttle(const spec::PowerSpec& power) const {
  const Joules dynamic = energy - power.static_power() * makespan;
  return std::max(1.0, dynamic / ((power.cap - power.static_power()) * makespan));
}

void StepReport::add(const StepReport& other, double times) {
  const Seconds before = makespan;
  StepCost::add(other, times);
  events += other.events;
  ops.reserve(ops.size() + other.ops.size());  // so that the views in `known` stay valid
  std::map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < ops.size(); ++i) known.emplace(ops[i].name, i);
  for (const OpTotal& op : other.ops) {
    const auto same = known.find(op.name);
    OpTotal& total = same != known.end() ? ops[same->second] : ops.emplace_back(op);
    if (same == known.end()) {
      total.count = 0;
      total.time = Seconds(0);
      total.start += before;
      total.end += before;
    }
    total.count += op.count * times;
    total.time += op.time * times;
    total.each = total.count > 0 ? total.time / total.count : Seconds(0);
  }
}

void StepReport::stretch(double factor, Watts static_power) {
  StepCost::stretch(factor, static_power);
  for (OpTotal& op : ops) {
    op.time *= factor;
    op.each *= factor;
    op.alone *= factor;
    op.start *= factor;
    op.end *= factor;
  }
}

StepReport StepReader::build(const machine::PlayResult& result, Watts static_power) const {
  StepReport report;
  report.makespan = event::to_seconds(result.makespan);
  report.energy = static_power * report.makespan;
  report.events = static_cast<double>(result.events);
  for (const machine::ProgramOp& op : program_.ops) report.ops.push_back({.name = op.name, .op = op.op});
  std::vector<Edge> edges;
  edges.reserve(2 * facts_.size());
  for (std::uint32_t i = 0; i < facts_.size(); ++i) {
    const TaskFact& fact = facts_[i];
    const machine::Task& task = program_.tasks[fact.task];
    edges.push_back({fact.start, true, i});
    edges.push_back({fact.end, false, i});
    OpTotal& total = report.ops[task.op];
    if (total.count == 0) total = op_total(program_.ops[task.op], *fact.price);
    const Seconds took = event::to_seconds(fact.end - fact.start);
    total.add_run(task, *fact.price, event::to_seconds(fact.start - event::Time()), took);
    if (fact.price->is_collective) report.communication_total += took + fact.price->time * task.hidden;
    report.add_work(*fact.price, task.exposed + task.hidden);
  }
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });

  // Running tasks by stream index; the lowest compute stream is the one that a moment belongs to.
  std::vector<const TaskFact*> running(program_.streams.size(), nullptr);
  event::Time at;
  for (std::size_t i = 0; i <= edges.size(); ++i) {
    const event::Time next = i < edges.size() ? edges[i].at : event::Time() + result.makespan;
    if (next > at) {
      const TaskFact* compute = nullptr;
      const TaskFact* collective = nullptr;
      for (std::size_t s = running.size(); s-- > 0;) {
        if (running[s]) (running[s]->price->is_collective ? collective : compute) = running[s];
      }
      account(report, compute, collective, event::to_seconds(next - at));
      at = next;
    }
    if (i == edges.size()) break;
    const TaskFact* fact = &facts_[edges[i].fact];
    const TaskFact*& slot = running[program_.tasks[fact->task].stream];
    if (edges[i].is_start) {
      slot = fact;
    } else if (slot == fact) {
      slot = nullptr;
    }
  }
  return report;
}

}  // namespace mlosim::report
