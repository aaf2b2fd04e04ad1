#include "models/explore/metric.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace mlosim::explore {
namespace {

using predict::Prediction;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr Dimension kNone{}, kTime{.time = 1}, kRate{.time = -1}, kFlopRate{.time = -1, .work = 1}, kData{.data = 1};
constexpr Dimension kEnergy{.energy = 1}, kPower{.time = -1, .energy = 1}, kMoney{.money = 1};

template <class T>
double si_or_missing(const std::optional<T>& quantity) {
  return quantity ? quantity->si() : kMissing;
}

constexpr std::string_view kTokensAlone = "bare operators make no tokens";
constexpr std::string_view kNoPrice = "the chip's spec has no price";
constexpr std::string_view kNoPrefill = "only the tasks prefill and generate have a first token";
constexpr std::string_view kNoSteps = "only the tasks decode and generate have decode steps";
constexpr std::string_view kNoMemory = "bare operators have no account of memory";

constexpr std::string_view kNoSilicon = "the chip's spec does not say what it is built of";

// Of one chip, with what is computed again.
Flops executed_flops(const Prediction& p) {
  return std::max(p.evaluation.model_flops, p.evaluation.hardware_flops) / static_cast<double>(p.evaluation.chips);
}

constexpr std::array kMetrics{
    Metric{"time_s", kTime, false, [](const Prediction& p) { return p.evaluation.total.makespan.si(); }, ""},
    Metric{"tokens_per_s", kRate, true, [](const Prediction& p) { return p.tokens_per_s.value_or(kMissing); },
           kTokensAlone},
    Metric{"tokens_per_s_per_chip", kRate, true,
           [](const Prediction& p) { return p.tokens_per_s_per_chip.value_or(kMissing); }, kTokensAlone},
    Metric{"ttft_s", kTime, false, [](const Prediction& p) { return si_or_missing(p.evaluation.prefill_time); },
           kNoPrefill},
    Metric{"tpot_s", kTime, false, [](const Prediction& p) { return si_or_missing(p.evaluation.step_time); }, kNoSteps},
    Metric{"end_to_end_s", kTime, false, [](const Prediction& p) { return si_or_missing(p.evaluation.end_to_end); },
           "only the task generate has an end"},
    Metric{"achieved_flops_per_chip", kFlopRate, true,
           [](const Prediction& p) { return p.achieved_flops_per_chip.si(); }, ""},
    Metric{"mfu", kNone, true, [](const Prediction& p) { return p.mfu; }, ""},
    Metric{"hfu", kNone, true, [](const Prediction& p) { return p.hfu; }, ""},
    Metric{"per_chip_bytes", kData, false,
           [](const Prediction& p) { return p.evaluation.memory ? p.evaluation.memory->total().si() : kMissing; },
           kNoMemory},
    Metric{"capacity_bytes", kData, true,
           [](const Prediction& p) { return p.evaluation.memory ? p.evaluation.memory->capacity.si() : kMissing; },
           kNoMemory},
    Metric{"energy_j", kEnergy, false, [](const Prediction& p) { return p.energy.si(); }, ""},
    Metric{"power_w_per_chip", kPower, false, [](const Prediction& p) { return p.power_per_chip.si(); }, ""},
    Metric{"cost_usd", kMoney, false, [](const Prediction& p) { return si_or_missing(p.cost); }, kNoPrice},
    Metric{"usd_per_million_tokens", kMoney, false,
           [](const Prediction& p) { return si_or_missing(p.economics.per_million_tokens); }, kNoPrice},
    Metric{"tokens_per_usd",
           {.money = -1},
           true,
           [](const Prediction& p) { return p.cost ? p.evaluation.tokens / p.cost->si() : kMissing; },
           kNoPrice},
    Metric{"tokens_per_joule",
           {.energy = -1},
           true,
           [](const Prediction& p) { return p.economics.tokens_per_joule.value_or(kMissing); },
           "it has no tokens, or economics say no pue"},
    Metric{"communication_exposed_s", kTime, false,
           [](const Prediction& p) { return p.evaluation.total.breakdown.communication_exposed.si(); }, ""},
    Metric{"communication_total_s", kTime, false,
           [](const Prediction& p) { return p.evaluation.total.communication_total.si(); }, ""},
    Metric{"bubble_s", kTime, false, [](const Prediction& p) { return p.evaluation.total.breakdown.bubble.si(); }, ""},
    Metric{"chips", kNone, false, [](const Prediction& p) { return static_cast<double>(p.evaluation.chips); }, ""},
    Metric{"facility_energy_j", kEnergy, false, [](const Prediction& p) { return si_or_missing(p.economics.facility); },
           "economics say no pue"},
    Metric{"area_mm2", kNone, false, [](const Prediction& p) { return p.silicon ? p.silicon->area_mm2 : kMissing; },
           kNoSilicon},
    Metric{"manufacturing_usd", kMoney, false,
           [](const Prediction& p) { return p.silicon ? p.silicon->total().si() : kMissing; }, kNoSilicon},
    Metric{"executed_flops_per_chip", kFlopRate, true,
           [](const Prediction& p) { return (executed_flops(p) / p.evaluation.total.makespan).si(); }, ""},
    Metric{"peak_flops_per_chip", kFlopRate, true,
           [](const Prediction& p) {
             const predict::Evaluation& e = p.evaluation;
             return e.peak_time > Seconds(0) ? (e.model_flops / e.peak_time).si() / static_cast<double>(e.chips)
                                             : kMissing;
           },
           "the chip has no matrix unit for its formats"},
    Metric{"memory_bandwidth_bytes_per_s",
           {.time = -1, .data = 1},
           true,
           [](const Prediction& p) { return p.memory_bandwidth.si(); },
           ""},
    Metric{"intensity_flops_per_byte",
           {.data = -1, .work = 1},
           true,
           [](const Prediction& p) {
             const Bytes moved = p.evaluation.total.device_bytes;
             return moved > Bytes(0) ? executed_flops(p).si() / moved.si() : kMissing;
           },
           "its kernels leave the device memory alone"},
};

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

std::optional<std::size_t> find_metric(std::string_view name) {
  for (std::size_t i = 0; i < kMetrics.size(); ++i) {
    if (kMetrics[i].name == name) return i;
  }
  return std::nullopt;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : kMetrics) names.emplace_back(metric.name);
  return names;
}

}  // namespace mlosim::explore
