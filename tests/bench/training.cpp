// How long training steps take to price: GPT-3 175B on 512 chips in every layout that Megatron-LM could run, in closed
// form, the first layout included; and one played step of Llama 3.1 405B on 16,384 chips.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/predict/evaluate_training.hpp"
#include "models/predict/setting.hpp"
#include "models/predict/training_costs.hpp"

namespace mlosim {
namespace {

spec::Library built_in() { return spec::Library({MLOSIM_SOURCE_DIR}); }

struct Desk {
  explicit Desk(const std::string& name) {
    const spec::Library library = built_in();
    std::vector<std::string> warnings;
    workload = predict::read_workload(library, name, {}, warnings);
    setting = predict::read_setting(library, workload, warnings);
  }

  predict::Workload workload;
  predict::Setting setting;
};

// Calls with each layout of 512 chips.
template <class With>
void each_layout(const predict::Workload& workload, With with) {
  using graph::Recompute;
  predict::Training t = *workload.training;
  t.global_batch = 3072;
  plan::TrainingParallelism& p = t.parallelism;
  for (p.tp = 1; p.tp <= 32; p.tp *= 2) {
    for (p.pp = 1; p.pp <= 64 && p.tp * p.pp <= 512; p.pp *= 2) {
      p.dp = 512 / (p.tp * p.pp);
      for (t.micro_batch = 1; t.micro_batch <= 64; t.micro_batch *= 2) {
        for (p.virtual_stages = 1; p.virtual_stages * p.pp <= 96; ++p.virtual_stages) {
          p.schedule = p.virtual_stages > 1 ? plan::ScheduleKind::interleaved : plan::ScheduleKind::one_f_one_b;
          for (const auto policy : {Recompute::Policy::none, Recompute::Policy::selective, Recompute::Policy::full}) {
            t.recompute.policy = policy;
            for (int choice = 0; choice < 64; ++choice) {
              p.zero = static_cast<plan::ZeroStage>(choice % 4);
              p.sp = choice / 4 % 2 == 1;
              t.overlap = {
                  .grad_reduce = choice / 8 % 2 == 1, .param_gather = choice / 16 % 2 == 1, .tp = choice >= 32};
              if (plan::can_train(*workload.model, p, t.global_batch, t.micro_batch, t.sequence)) with(t);
            }
          }
        }
      }
    }
  }
}

void layouts_of_gpt3(benchmark::State& state) {
  const Desk desk("gpt3-175b_train_dgx_a100");
  const spec::Hardware& hardware = desk.setting.hardware;
  const predict::TrainingSubject subject{
      .model = *desk.workload.model, .precision = desk.setting.precision, .hardware = hardware};
  std::int64_t layouts = 0, fitting = 0;
  for (auto _ : state) {
    predict::TrainingCosts costs(subject, predict::training_price_options({}, hardware.system.chip));
    each_layout(desk.workload, [&](const predict::Training& t) {
      const predict::TrainingEstimate estimate = costs.estimate(t);
      ++layouts;
      fitting += estimate.fits() ? 1 : 0;
    });
  }
  state.SetItemsProcessed(layouts);
  state.counters["layouts"] = static_cast<double>(layouts) / static_cast<double>(state.iterations());
  state.counters["fitting"] = static_cast<double>(fitting) / static_cast<double>(state.iterations());
}
BENCHMARK(layouts_of_gpt3)->Unit(benchmark::kMillisecond);

void played_step(benchmark::State& state) {
  const Desk desk("llama-3.1-405b_train_dgx_h100");
  for (auto _ : state) {
    benchmark::DoNotOptimize(predict::evaluate_training(desk.workload, desk.setting.precision, desk.setting.hardware,
                                                        {.fidelity = chip::Fidelity::event}));
  }
}
BENCHMARK(played_step)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mlosim
