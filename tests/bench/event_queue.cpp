// Events per second in the hold model: pop the earliest event, dispatch it, touch one private cache line, schedule it
// again after a drawn delay. The simulator with records, the simulator with coroutines, and std::priority_queue with
// entries of the same 16 bytes and the same dispatch. Arguments: ties (0: exponential delays with mean 1e6 ps; 1:
// cycle-like delays, many of them equal) and pending events.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/event/simulator.hpp"

namespace mlosim::event {
namespace {

constexpr std::uint64_t kEventsPerIteration = 1 << 20;

// Delays drawn beforehand and handed out in turn, so that the benchmark does not time a random generator.
class Delays {
 public:
  explicit Delays(std::int64_t distribution) {
    std::mt19937_64 random(1);
    std::exponential_distribution<double> exponential(1e-6);
    constexpr std::array<std::int64_t, 16> kCycles{1, 1, 1, 2, 2, 4, 4, 8, 16, 20, 64, 100, 200, 400, 600, 1000};
    for (auto& ps : ps_) {
      ps = distribution == 0 ? 1 + std::lround(exponential(random)) : kCycles[random() % kCycles.size()];
      mean_ += static_cast<double>(ps) / kCount;
    }
  }
  Span next() { return Span(ps_[at_++ % kCount]); }
  // In which about n events fire when `pending` are in flight.
  Span span_of(double n, double pending) const { return Span(std::lround(std::ceil(n / pending * mean_))); }

 private:
  static constexpr std::size_t kCount = 1 << 13;
  std::array<std::int64_t, kCount> ps_{};
  std::size_t at_ = 0;
  double mean_ = 0;
};

struct alignas(64) Entity : Event {
  explicit Entity(Delays& d) : Event(&step), delays(&d) {}
  static void step(Simulator& sim, Event& event) {
    Entity& self = static_cast<Entity&>(event);
    ++self.steps;
    sim.schedule(self, self.delays->next());
  }
  Delays* delays;
  std::uint64_t steps = 0;
};

void run_for_each_iteration(benchmark::State& state, Simulator& sim, Span span) {
  sim.run_until(sim.now() + span);
  const std::uint64_t before = sim.event_count();
  for (auto _ : state) sim.run_until(sim.now() + span);
  state.SetItemsProcessed(static_cast<std::int64_t>(sim.event_count() - before));
}

void hold_records(benchmark::State& state) {
  Delays delays(state.range(0));
  std::vector<Entity> entities(static_cast<std::size_t>(state.range(1)), Entity(delays));
  Simulator sim;
  for (Entity& entity : entities) sim.schedule(entity, delays.next());
  run_for_each_iteration(state, sim, delays.span_of(kEventsPerIteration, static_cast<double>(entities.size())));
}

Task<> hold(Simulator& sim, Delays& delays) {
  for (std::uint64_t steps = 0;; ++steps) {
    benchmark::DoNotOptimize(steps);
    co_await sim.delay(delays.next());
  }
}

void hold_coroutines(benchmark::State& state) {
  Delays delays(state.range(0));
  Simulator sim;
  for (std::int64_t i = 0; i < state.range(1); ++i) sim.spawn("hold", hold(sim, delays), Lifetime::service);
  run_for_each_iteration(state, sim, delays.span_of(kEventsPerIteration, static_cast<double>(state.range(1))));
}

struct alignas(64) HeapEntity {
  void (*step)(HeapEntity&);
  std::uint64_t steps = 0;
};

struct HeapEntry {
  std::int64_t time;
  HeapEntity* entity;
  friend bool operator>(const HeapEntry& a, const HeapEntry& b) { return a.time > b.time; }
};

void hold_priority_queue(benchmark::State& state) {
  Delays delays(state.range(0));
  const HeapEntity first{[](HeapEntity& entity) { ++entity.steps; }};
  std::vector<HeapEntity> entities(static_cast<std::size_t>(state.range(1)), first);
  std::priority_queue<HeapEntry, std::vector<HeapEntry>, std::greater<>> queue;
  for (HeapEntity& entity : entities) queue.push({delays.next().ps(), &entity});
  for (auto _ : state) {
    for (std::uint64_t n = 0; n < kEventsPerIteration; ++n) {
      const HeapEntry entry = queue.top();
      queue.pop();
      entry.entity->step(*entry.entity);
      queue.push({entry.time + delays.next().ps(), entry.entity});
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEventsPerIteration));
}

void delays_and_pending(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"ties", "pending"})->ArgsProduct({{0, 1}, {100, 1'000, 10'000, 100'000, 1'000'000}});
}

BENCHMARK(hold_records)->Apply(delays_and_pending);
BENCHMARK(hold_coroutines)->Apply(delays_and_pending);
BENCHMARK(hold_priority_queue)->Apply(delays_and_pending);

}  // namespace
}  // namespace mlosim::event
