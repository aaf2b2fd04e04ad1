#include "models/explore/evaluator.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/explore/open_machine.hpp"
#include "models/explore/overlay.hpp"
#include "models/explore/point_parts.hpp"
#include "models/explore/run_as_said.hpp"
#include "models/explore/space.hpp"
#include "models/explore/training_evaluator.hpp"
#include "models/explore/training_layout.hpp"

namespace mlosim::explore {
namespace {

// Whether the parallelism itself is what cannot be.
bool is_about_layout(const spec::InputError& error) {
  const std::string& path = error.diagnostics().front().path;
  return path == "chips" || path.starts_with("parallelism");
}

// One workload, its runs decoded once each, on the machine of one point after the other.
class OpenWorkload {
 public:
  OpenWorkload(const Blueprint& blueprint, SharedSettings& settings, std::size_t workload)
      : b_(blueprint),
        base_(blueprint.workloads[workload]),
        workload_(workload),
        parts_(split_point(blueprint, workload, blueprint.study.axes.size())),
        machine_(settings, workload, parts_) {}

  // The run of a point. Throws spec::InputError where there is none.
  const predict::Workload& find_run(std::span<const double> at, std::span<const double> slots) {
    settings_ = settings_of(b_, workload_, at, slots);
    std::vector<double> key, of_machine;
    parts_.run.moves(at, slots, key);
    parts_.machine.moves(at, slots, of_machine);
    key.insert(key.end(), of_machine.begin(), of_machine.end());
    auto known = runs_.find(key);
    if (known == runs_.end()) {
      if (runs_.size() == kMostRuns) runs_.clear();
      known = runs_.emplace(std::move(key), decode(settings_)).first;
    }
    return known->second;
  }

  // The machine of the same point. Throws spec::InputError where it is none, or none for the run.
  const predict::Setting& find_setting(std::span<const double> at, std::span<const double> slots,
                                       const predict::Workload& run) {
    machine_.move_to(at, slots, settings_, run);
    predict::check_against_machine(run, machine_.setting().hardware.system);
    return machine_.setting();
  }

 private:
  static constexpr std::size_t kMostRuns = 256;

  predict::Workload decode(const std::vector<spec::Override>& settings) const {
    spec::Value document = base_.document;
    for (const spec::Override& change : settings) {
      if (!is_of_machine(change.path)) lay_over(document, change.path, change.value);
    }
    std::vector<std::string> said;
    predict::Workload run = predict::decode_workload(*b_.library, std::move(document), base_.name, {}, said);
    require_run_as_said(base_, settings, run);
    return run;
  }

  const Blueprint& b_;
  const BaseWorkload& base_;
  std::size_t workload_;
  PointParts parts_;
  OpenMachine machine_;
  std::map<std::vector<double>, predict::Workload> runs_;
  std::vector<spec::Override> settings_;  // of the last point
};

// Predicts each workload on the machine of each point.
class GeneralEvaluator : public Evaluator {
 public:
  GeneralEvaluator(const Blueprint& blueprint, SharedSettings& settings) : b_(blueprint) {
    options_.fidelity = blueprint.study.fidelity;
    options_.sensitivities = false;
    options_.residuals = &blueprint.residuals;
    options_.costs = &blueprint.costs;
    searches_layouts_ = blueprint.study.search.method == Method::best_parallelism;
    for (std::size_t w = 0; w < blueprint.workloads.size(); ++w)
      workloads_.push_back(std::make_unique<OpenWorkload>(blueprint, settings, w));
  }

  Answer evaluate(std::span<const double> at, std::span<double> slots) override {
    try {
      for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
        const predict::Workload& run = workloads_[w]->find_run(at, slots);
        if (searches_layouts_ && is_redundant(run)) return {.verdict = Verdict::redundant};
        const predict::Setting& setting = workloads_[w]->find_setting(at, slots, run);
        const predict::Prediction p = predict::predict(*b_.library, run, setting, options_);
        if (std::string misfit = misfit_of(p); !misfit.empty())
          return {.verdict = Verdict::impossible, .reason = std::move(misfit)};
        fill_metrics(p, w, b_.slots, slots);
      }
      return {};
    } catch (const spec::InputError& error) {
      if (searches_layouts_ && is_about_layout(error)) return {.verdict = Verdict::redundant};
      return {.verdict = Verdict::impossible, .reason = reason_of(error)};
    }
  }

 private:
  // Whether another layout of inference says the same.
  static bool is_redundant(const predict::Workload& run) {
    return !run.training && run.parallelism.sp && run.parallelism.tp == 1;
  }

  const Blueprint& b_;
  std::vector<std::unique_ptr<OpenWorkload>> workloads_;
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
