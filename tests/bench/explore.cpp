// How fast points of a study are evaluated on one thread: layouts alone, layouts on machines whose numbers change from
// point to point or from one handful of layouts to the next, and inference on such machines.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/explore/evaluator.hpp"
#include "models/explore/space.hpp"
#include "models/explore/study.hpp"

namespace mlosim {
namespace {

const std::string kTraining =
    "{schema: mlosim/study/1, name: s, workload: gpt3-175b_train_dgx_a100, objectives: time_s, "
    "overrides: {chips: 512, train.global_batch: 3072}, ";
const std::string kMachine =
    "chip.hbm.bandwidth: {from: 1.5 TB/s, to: 4 TB/s STEPS}, chip.clock: {from: 1.41 GHz, to: 1.8 GHz STEPS}, "
    "system.fabric.bandwidth: {from: 200 GB/s, to: 600 GB/s STEPS}, ";
const std::string kLayouts =
    "parallelism.tp: [1, 2, 4, 8], parallelism.pp: [1, 2, 4, 8, 16, 32], train.micro_batch: [1, 2, 4, 8], "
    "parallelism.zero: [0, 1], train.recompute: [none, selective, full]";

std::string machine(const std::string& steps) {
  std::string axes = kMachine;
  for (std::size_t at = axes.find(" STEPS"); at != std::string::npos; at = axes.find(" STEPS"))
    axes.replace(at, 6, steps);
  return axes;
}

// All points of a study, one after the other, by a new evaluator.
void evaluate_points(benchmark::State& state, const std::string& text) {
  const spec::Library library({MLOSIM_SOURCE_DIR});
  std::vector<std::string> warnings;
  const explore::Blueprint blueprint =
      explore::draw_blueprint(library, explore::decode_study(spec::parse_document(text, "study"), "study"), warnings);
  const explore::Space space(blueprint);
  std::vector<double> at(blueprint.study.axes.size()), slots(blueprint.slots.size());
  std::int64_t feasible = 0;
  for (auto _ : state) {
    explore::SharedSettings settings(library);
    const auto evaluator = explore::make_evaluator(blueprint, settings);
    for (std::uint64_t point = 0; point < space.size(); ++point) {
      space.locate(point, at);
      explore::fill_slots(blueprint, at, slots);
      feasible += evaluator->evaluate(at, slots).reason.empty() ? 1 : 0;
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(space.size()) * state.iterations());
  state.counters["feasible"] = static_cast<double>(feasible) / static_cast<double>(state.iterations());
}

void layouts(benchmark::State& state) { evaluate_points(state, kTraining + "axes: {" + kLayouts + "}}"); }
BENCHMARK(layouts)->Unit(benchmark::kMillisecond);

void machines_and_layouts(benchmark::State& state) {
  evaluate_points(state, kTraining + "axes: {" + machine(", steps: 4") + kLayouts + "}}");
}
BENCHMARK(machines_and_layouts)->Unit(benchmark::kMillisecond);

void machines_and_few_layouts(benchmark::State& state) {
  evaluate_points(
      state, kTraining + "axes: {" + machine(", steps: 10") + "parallelism.tp: [4, 8], train.micro_batch: [1, 2]}}");
}
BENCHMARK(machines_and_few_layouts)->Unit(benchmark::kMillisecond);

void machines_and_layouts_at_random(benchmark::State& state) {
  evaluate_points(state, kTraining + "axes: {" + machine("") + kLayouts + "}, method: {random: {points: 5000}}}");
}
BENCHMARK(machines_and_layouts_at_random)->Unit(benchmark::kMillisecond);

void decoding_machines(benchmark::State& state) {
  evaluate_points(
      state,
      "{schema: mlosim/study/1, name: s, workload: llama-3.1-70b_decode_dgx_h200, objectives: tpot_s, axes: {"
      "chip.hbm.bandwidth: {from: 3 TB/s, to: 8 TB/s, steps: 10}, chip.clock: {from: 1.98 GHz, to: 2.4 GHz, "
      "steps: 5}, system.fabric.bandwidth: {from: 200 GB/s, to: 900 GB/s, steps: 5}}}");
}
BENCHMARK(decoding_machines)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mlosim
