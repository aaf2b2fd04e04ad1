#include "models/explore/evaluator.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "models/explore/overlay.hpp"
#include "models/explore/run_as_said.hpp"
#include "models/explore/space.hpp"
#include "models/explore/training_evaluator.hpp"
#include "models/explore/training_layout.hpp"
#include "models/explore/workload_key.hpp"

namespace mlosim::explore {
namespace {

// Whether the parallelism itself is what cannot be.
bool is_about_layout(const spec::InputError& error) {
  const std::string& path = error.diagnostics().front().path;
  return path == "chips" || path.starts_with("parallelism");
}

// Lays each point over the documents of its workloads and predicts them.
class GeneralEvaluator : public Evaluator {
 public:
  GeneralEvaluator(const Blueprint& blueprint, SharedSettings& settings) : b_(blueprint), settings_(settings) {
    options_.fidelity = blueprint.study.fidelity;
    options_.sensitivities = false;
    options_.residuals = &blueprint.residuals;
    options_.costs = &blueprint.costs;
    searches_layouts_ = blueprint.study.search.method == Method::best_parallelism;
  }

  Answer evaluate(std::span<const double> at, std::span<double> slots) override {
    try {
      for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
        const std::optional<predict::Prediction> p = predict_workload(w, at, slots);
        if (!p) return {.verdict = Verdict::redundant};
        if (std::string misfit = misfit_of(*p); !misfit.empty())
          return {.verdict = Verdict::impossible, .reason = std::move(misfit)};
        fill_metrics(*p, w, b_.slots, slots);
      }
      return {};
    } catch (const spec::InputError& error) {
      if (searches_layouts_ && is_about_layout(error)) return {.verdict = Verdict::redundant};
      return {.verdict = Verdict::impossible, .reason = reason_of(error)};
    }
  }

 private:
  // Nothing where another layout says the same.
  std::optional<predict::Prediction> predict_workload(std::size_t w, std::span<const double> at,
                                                      std::span<const double> slots) {
    spec::Value document = b_.workloads[w].document;
    std::string key = fmt::format("{}\n", w);
    const std::vector<spec::Override> settings = settings_of(b_, w, at, slots);
    for (const spec::Override& change : settings) {
      lay_over(document, change.path, change.value);
      if (changes_setting(change.path)) key += change.path + "=" + spec::render_yaml(change.value) + "\n";
    }
    std::vector<std::string> said;
    const predict::Workload workload =
        predict::decode_workload(*b_.library, std::move(document), b_.workloads[w].name, {}, said);
    require_run_as_said(b_.workloads[w], settings, workload);
    if (searches_layouts_ && !workload.training && workload.parallelism.sp && workload.parallelism.tp == 1)
      return std::nullopt;
    const std::shared_ptr<const predict::Setting> setting = settings_.setting(key, workload);
    predict::check_against_machine(workload, setting->hardware.system);
    return predict::predict(*b_.library, workload, *setting, options_);
  }

  const Blueprint& b_;
  SharedSettings& settings_;
  predict::PredictOptions options_;
  bool searches_layouts_ = false;
};

}  // namespace

std::shared_ptr<const predict::Setting> SharedSettings::setting(const std::string& key,
                                                                const predict::Workload& workload) {
  std::unique_lock lock(mutex_);
  if (const auto found = settings_.find(key); found != settings_.end()) return found->second;
  const std::string machine =
      fmt::format("{}\n{}\n{}", workload.system, workload.runtime.profile, workload.training.has_value());
  auto documents = documents_.find(machine);
  std::vector<std::string> said;
  if (documents == documents_.end())
    documents = documents_.emplace(machine, predict::read_machine(library_, workload, said)).first;
  spec::HardwareDocuments own = documents->second;
  lock.unlock();
  auto made = std::make_shared<const predict::Setting>(predict::make_setting(std::move(own), workload, said));
  lock.lock();
  if (settings_.emplace(key, made).second) order_.push_back(key);
  if (order_.size() > kMostKept) {
    settings_.erase(order_.front());
    order_.pop_front();
  }
  return made;
}

bool shares_layouts(const Blueprint& b) {
  if (b.layout_axes == 0) return false;
  for (const BaseWorkload& w : b.workloads) {
    if (!w.decoded.training || !w.decoded.training->reality.is_ideal())
      return false;  // which depends on the number of ranks
  }
  const std::size_t first_layout = b.study.axes.size() - b.layout_axes, first = b.slots.axis[first_layout];
  // Keys of a layout that something else sets, too, are laid over the document point by point.
  for (std::size_t a = 0; a < first_layout; ++a) {
    for (const std::string& path : b.study.axes[a].paths) {
      if (layout_key_at(path)) return false;
    }
  }
  for (const BoundDerived& derived : b.derived) {
    if (layout_key_at(derived.path)) return false;
    for (const std::size_t slot : derived.expression.slots()) {
      if (slot >= first && slot < b.slots.axes) return false;
    }
  }
  for (std::size_t a = b.study.axes.size() - b.layout_axes; a < b.study.axes.size(); ++a) {
    if (b.study.axes[a].continuum || !b.study.axes[a].workload.empty()) return false;
  }
  return true;
}

std::unique_ptr<Evaluator> make_evaluator(const Blueprint& blueprint, SharedSettings& settings) {
  if (shares_layouts(blueprint)) return make_training_evaluator(blueprint, settings);
  return std::make_unique<GeneralEvaluator>(blueprint, settings);
}

void fill_metrics(const predict::Prediction& prediction, std::size_t workload, const SlotLayout& layout,
                  std::span<double> slots) {
  std::size_t slot = layout.metrics_of(workload);
  for (const Metric& metric : metrics()) slots[slot++] = metric.of(prediction);
}

std::string misfit_of(const predict::Prediction& prediction) {
  const auto& memory = prediction.evaluation.memory;
  return !memory || memory->fits() ? std::string() : std::string(kMisfit);
}

std::string reason_of(const spec::InputError& error) {
  const spec::Diagnostic& first = error.diagnostics().front();
  return first.path.empty() ? first.message : fmt::format("{}: {}", first.path, first.message);
}

}  // namespace mlosim::explore
