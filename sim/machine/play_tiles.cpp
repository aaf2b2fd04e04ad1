#include "sim/machine/play_tiles.hpp"

#include <algorithm>
#include <utility>

#include "sim/chip/concurrent.hpp"
#include "sim/units/check.hpp"

namespace mlosim::machine {
namespace {

chip::ConcurrentKernel kernel_of(const work::Operator& op, PriceBook& prices) {
  const auto* collective = std::get_if<work::Collective>(&op);
  if (!collective) return op;
  const net::CollectivePrice price = price_collective(*collective, prices.hardware(), prices.options());
  return chip::PacedByNetwork{.time = price.time,
                              .links = price.time * prices.price(op).use.link,
                              .ctas = price.kernel.ctas,
                              .device_bytes = price.kernel.device_bytes,
                              .cache_bytes = price.kernel.cache_bytes};
}

}  // namespace

bool is_playable_in_tiles(const Program& program, const PriceBook& prices) {
  return prices.options().fidelity == chip::Fidelity::event &&
         prices.hardware().system.chip.kind == spec::ChipKind::simt &&
         std::all_of(program.tasks.begin(), program.tasks.end(), [](const Task& task) { return task.after.empty(); }) &&
         std::any_of(program.tasks.begin(), program.tasks.end(),
                     [&](const Task& task) { return task.stream != program.tasks.front().stream; });
}

PlayResult play_tiles(const Program& program, PriceBook& prices, const event::Facts<TaskFact>& facts) {
  MLOSIM_CHECK(is_playable_in_tiles(program, prices));
  std::vector<std::vector<chip::ConcurrentKernel>> streams(program.streams.size());
  std::vector<std::size_t> place;  // of each task on its stream
  for (const Task& task : program.tasks) {
    place.push_back(streams[task.stream].size());
    streams[task.stream].push_back(kernel_of(program.ops[task.op].op, prices));
  }
  const PriceOptions& options = prices.options();
  const chip::PlayedTogether played = chip::play_together(streams, {.chip = prices.hardware().system.chip,
                                                                    .runtime = prices.hardware().runtime,
                                                                    .operands = options.operands,
                                                                    .sustained = options.sustained,
                                                                    .kernel = options.kernel,
                                                                    .max_events = options.max_events});
  const event::Time begin = event::Time() + event::to_span_up(program.lead_time);
  std::vector<TaskFact> told;
  for (std::uint32_t t = 0; t < program.tasks.size(); ++t) {
    const chip::ConcurrentRun& run = played.runs[program.tasks[t].stream][place[t]];
    const TaskPrice& price = prices.price(program.ops[program.tasks[t].op].op);
    const event::Time start = begin + event::to_span_up(run.start), end = begin + event::to_span_up(run.end);
    told.push_back({.task = t,
                    .start = start,
                    .end = end,
                    .overhead = std::min(end - start, event::to_span_up(price.overhead)),
                    .price = &price});
  }
  std::stable_sort(told.begin(), told.end(), [](const TaskFact& a, const TaskFact& b) {
    return std::pair(a.end, a.start) < std::pair(b.end, b.start);
  });
  PlayResult result{.makespan = begin - event::Time(), .events = played.events, .checksum = 0};
  for (const TaskFact& fact : told) {
    result.makespan = std::max(result.makespan, fact.end - event::Time());
    facts.emit([&] { return fact; });
  }
  return result;
}

}  // namespace mlosim::machine
