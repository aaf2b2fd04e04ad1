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
  const auto take = [&](Seconds& part, chip::Resource resource, Seconds time) {
    part += time;
    report.by_resource[static_cast<std::size_t>(resource)] += time;
  };
  if (compute) {
    // Launch and ends are spread over the task's own time.
    const event::Span whole = compute->end - compute->start;
    const double share =
        whole > event::Span() ? event::to_seconds(whole - compute->overhead) / event::to_seconds(whole) : 0;
    const chip::Resource limiter = compute->price->limiter;
    take(is_compute_bound(limiter) ? report.breakdown.compute : report.breakdown.memory, limiter, length * share);
    take(report.breakdown.overhead, chip::Resource::launch, length * (1 - share));
  } else if (collective) {
    take(report.breakdown.communication_exposed, collective->price->limiter, length);
  } else {
    take(report.breakdown.overhead, chip::Resource::host, length);
  }
}

void account_energy(StepReport& report, const machine::TaskPrice& price) {
  report.energy += price.dynamic_energy;
  EnergyParts& parts = report.energy_parts;
  parts.fabric += price.fabric_energy;
  parts.scale_out += price.scale_out_energy;
  if (!price.kernel) {
    parts.memory += price.dynamic_energy;
    return;
  }
  const chip::EnergyByPart& own = price.kernel->energy_by_part;
  if (own.matrix > Joules(0)) parts.matrix[price.kernel->work.matrix_dtype] += own.matrix;
  parts.vector += own.vector;
  parts.memory += own.memory;
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
  for (const auto& [dtype, energy] : matrix) sum += energy;
  return sum;
}

EnergyParts& EnergyParts::operator+=(const EnergyParts& other) {
  for (const auto& [dtype, energy] : other.matrix) matrix[dtype] += energy;
  vector += other.vector;
  memory += other.memory;
  fabric += other.fabric;
  scale_out += other.scale_out;
  return *this;
}

EnergyParts operator*(EnergyParts parts, double k) {
  for (auto& [dtype, energy] : parts.matrix) energy *= k;
  parts.vector *= k;
  parts.memory *= k;
  parts.fabric *= k;
  parts.scale_out *= k;
  return parts;
}

void StepReport::add(const StepReport& other, double times) {
  const Seconds before = makespan;
  makespan += other.makespan * times;
  breakdown += other.breakdown * times;
  for (std::size_t i = 0; i < by_resource.size(); ++i) by_resource[i] += other.by_resource[i] * times;
  communication_total += other.communication_total * times;
  energy += other.energy * times;
  energy_parts += other.energy_parts * times;
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
  const Seconds added = makespan * (factor - 1);
  makespan += added;
  breakdown.compute += added;
  by_resource[static_cast<std::size_t>(chip::Resource::power)] += added;
  communication_total *= factor;
  energy += added * static_power;
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
  for (const machine::ProgramOp& op : program_.ops) {
    OpTotal total;
    total.name = op.name;
    total.op = op.op;
    report.ops.push_back(std::move(total));
  }
  std::vector<double> shares(program_.ops.size(), 1.0);  // of each operator's price, the mean of its tasks
  std::vector<Edge> edges;
  edges.reserve(2 * facts_.size());
  for (std::uint32_t i = 0; i < facts_.size(); ++i) {
    const TaskFact& fact = facts_[i];
    edges.push_back({fact.start, true, i});
    edges.push_back({fact.end, false, i});
    OpTotal& total = report.ops[program_.tasks[fact.task].op];
    const Seconds time = event::to_seconds(fact.end - fact.start);
    total.count += 1;
    total.time += time;
    total.start = total.count > 1 ? std::min(total.start, event::to_seconds(fact.start - event::Time()))
                                  : event::to_seconds(fact.start - event::Time());
    total.end = std::max(total.end, event::to_seconds(fact.end - event::Time()));
    total.alone = fact.price->time;
    // What runs inside its neighbours is no part of the time here, nor of the bound.
    double& share = shares[program_.tasks[fact.task].op];
    share += (program_.tasks[fact.task].exposed - share) / total.count;
    total.bound = fact.price->bound * share;
    total.bound_by = fact.price->bound_by;
    total.is_collective = fact.price->is_collective;
    total.detail = fact.price->detail;
    if (!total.kernel) total.kernel = fact.price->kernel;
    if (fact.price->is_collective) report.communication_total += time;
    account_energy(report, *fact.price);
  }
  for (OpTotal& total : report.ops) total.each = total.count > 0 ? total.time / total.count : Seconds(0);
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
