#include "models/predict/figures.hpp"

namespace mlosim::predict {

void fill_figures(Prediction& p, const spec::SystemSpec& system, const spec::EconomicsChoice& economics) {
  const Evaluation& e = p.evaluation;
  const Seconds time = e.total.makespan;
  const double chips = static_cast<double>(e.chips);
  if (e.tokens > 0) {
    p.tokens_per_s = e.tokens / time.si();
    p.tokens_per_s_per_chip = *p.tokens_per_s / chips;
  }
  p.achieved_flops_per_chip = e.model_flops / time / chips;
  p.mfu = e.peak_time / time;
  p.hfu = e.hardware_flops > e.model_flops ? p.mfu * (e.hardware_flops / e.model_flops) : p.mfu;
  p.energy = e.total.energy * chips;
  p.power_per_chip = e.total.energy / time;
  p.memory_bandwidth = system.chip.device_memory().bandwidth;
  p.economics = estimate_economics(e, system, economics);
  p.cost.reset();
  if (p.economics.bill) p.cost = p.economics.bill->total();
}

}  // namespace mlosim::predict
