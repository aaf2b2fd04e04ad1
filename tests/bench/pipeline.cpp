// Pipelines: chunks played a second, with every replica of 16,384 ranks of its own speed, and configurations estimated
// a second in closed form.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "models/plan/pipeline_time.hpp"
#include "models/plan/slow_ranks.hpp"

namespace mlosim::plan {
namespace {

ScheduleShape shape_of(const benchmark::State& state) {
  const std::int64_t v = state.range(2);
  return {.kind = v > 1 ? ScheduleKind::interleaved : ScheduleKind::one_f_one_b,
          .pp = state.range(0),
          .micro_batches = state.range(1),
          .virtual_stages = v};
}

std::vector<StageTimes> stages_of(const ScheduleShape& shape) {
  return std::vector<StageTimes>(static_cast<std::size_t>(shape.stages()), {.forward = Seconds(1e-3),
                                                                            .input_gradient = Seconds(1.2e-3),
                                                                            .weight_gradient = Seconds(0.9e-3),
                                                                            .send_activation = Seconds(2e-5),
                                                                            .send_gradient = Seconds(2e-5)});
}

void play_one_replica(benchmark::State& state) {
  const ScheduleShape shape = shape_of(state);
  const machine::Pipeline pipeline = build_pipeline(make_schedule(shape), stages_of(shape));
  for (auto _ : state)
    benchmark::DoNotOptimize(machine::play_pipeline(pipeline, machine::SendMode::overlapped, {}, {}).makespan);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(pipeline.tasks.size()));
}

void play_16384_ranks(benchmark::State& state) {
  const ScheduleShape shape = shape_of(state);
  const SlowRanks slow{.spread = Spread{.deviation = 0.01}, .stragglers = {{.rank = 7, .slowdown = 1.3}}};
  const std::vector<double> slowdowns = draw_slowdowns(slow, 16'384);
  const machine::Pipeline pipeline = build_pipeline(make_schedule(shape), stages_of(shape));
  std::int64_t events = 0;
  for (auto _ : state) {
    const machine::ReplicaResults results = play_replicas(pipeline, machine::SendMode::overlapped, slowdowns);
    for (const machine::PipelineResult& result : results.played) events += static_cast<std::int64_t>(result.events);
  }
  state.SetItemsProcessed(events);
}

void build_schedule(benchmark::State& state) {
  const ScheduleShape shape = shape_of(state);
  const std::vector<StageTimes> stages = stages_of(shape);
  for (auto _ : state) benchmark::DoNotOptimize(build_pipeline(make_schedule(shape), stages).tasks.data());
}

void estimate(benchmark::State& state) {
  const ScheduleShape shape = shape_of(state);
  std::vector<StageTimes> stages = stages_of(shape);
  for (auto _ : state) {
    benchmark::DoNotOptimize(stages.data());
    benchmark::DoNotOptimize(estimate_pipeline(shape, stages, machine::SendMode::overlapped));
  }
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"pp", "micro_batches", "virtual_stages"})->Args({8, 64, 1})->Args({8, 64, 4})->Args({16, 128, 8});
}

BENCHMARK(play_one_replica)->Apply(shapes);
BENCHMARK(play_16384_ranks)->Apply(shapes)->Unit(benchmark::kMillisecond);
BENCHMARK(build_schedule)->Apply(shapes)->Unit(benchmark::kMicrosecond);
BENCHMARK(estimate)->Apply(shapes)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace mlosim::plan
