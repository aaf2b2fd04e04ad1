#include "models/explore/training_evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/explore/overlay.hpp"
#include "models/explore/run_as_said.hpp"
#include "models/explore/space.hpp"
#include "models/explore/training_layout.hpp"
#include "models/explore/workload_key.hpp"
#include "models/predict/layout_predictor.hpp"

namespace mlosim::explore {
namespace {

// One workload on one machine, with its layout open.
struct OpenRun {
  predict::Workload workload;
  std::shared_ptr<const predict::Setting> setting;
  OpenLayout layout;
  std::unique_ptr<predict::LayoutPredictor> predictor;  // none where steps are played
};

class TrainingEvaluator : public Evaluator {
 public:
  TrainingEvaluator(const Blueprint& blueprint, SharedSettings& settings)
      : b_(blueprint), settings_(settings), first_(blueprint.study.axes.size() - blueprint.layout_axes) {
    options_.fidelity = blueprint.study.fidelity;
    options_.sensitivities = false;
    options_.residuals = &blueprint.residuals;
    options_.costs = &blueprint.costs;
    skips_redundant_ = blueprint.study.search.method == Method::best_parallelism;
    for (std::size_t a = first_; a < blueprint.study.axes.size(); ++a) {
      const Axis& axis = blueprint.study.axes[a];
      Keys& keys = axes_.emplace_back();
      for (const std::string& path : axis.paths) keys.keys.push_back(*layout_key_at(path));
      for (const Choice& choice : axis.choices) {
        for (std::size_t c = 0; c < axis.paths.size(); ++c)
          keys.values.push_back(decode_layout_value(keys.keys[c], choice.values[c]));
      }
    }
  }

  Answer evaluate(std::span<const double> at, std::span<double> slots) override {
    const auto shared = at.first(first_);
    if (!is_open_ || !std::equal(shared.begin(), shared.end(), opened_at_.begin())) open(at, slots);
    if (!refusal_.empty())
      return {.verdict = Verdict::impossible, .reason = refusal_, .prunes = true, .shared = first_};
    for (std::size_t w = 0; w < runs_.size(); ++w) {
      Answer answer = evaluate_run(runs_[w], at, w, slots);
      if (answer.verdict != Verdict::evaluated) return answer;
    }
    return {};
  }

 private:
  // The keys that one axis sets, and what each of its choices sets them to.
  struct Keys {
    std::vector<LayoutKey> keys;
    std::vector<LayoutValue> values;  // choice by choice
  };

  Answer evaluate_run(OpenRun& run, std::span<const double> at, std::size_t w, std::span<double> slots) {
    OpenLayout layout = run.layout;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      const Keys& axis = axes_[a];
      const std::size_t first = static_cast<std::size_t>(at[first_ + a]) * axis.keys.size();
      for (std::size_t k = 0; k < axis.keys.size(); ++k) set_layout_key(axis.keys[k], axis.values[first + k], layout);
    }
    const bool exists = complete_layout(*run.workload.model, layout);
    if (skips_redundant_ && (!exists || is_redundant(layout))) return {.verdict = Verdict::redundant};
    if (!exists) return {.verdict = Verdict::impossible, .reason = kNoLayout};
    run.workload.training = std::move(layout.training);
    try {
      predict::check_against_machine(run.workload, run.setting->hardware.system);
      if (run.predictor) return judge(run.predictor->predict(*run.workload.training), w, slots);
      return judge(predict::predict(*b_.library, run.workload, *run.setting, options_), w, slots);
    } catch (const spec::InputError& error) {
      return {.verdict = Verdict::impossible, .reason = reason_of(error)};
    }
  }

  Answer judge(const predict::Prediction& p, std::size_t w, std::span<double> slots) const {
    if (std::string misfit = misfit_of(p); !misfit.empty())
      return {.verdict = Verdict::impossible, .reason = std::move(misfit)};
    fill_metrics(p, w, b_.slots, slots);
    return {};
  }

  // Reads what all points share that differ in their layout alone.
  void open(std::span<const double> at, std::span<const double> slots) {
    opened_at_.assign(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(first_));
    is_open_ = true;
    refusal_.clear();
    runs_.clear();
    try {
      for (std::size_t w = 0; w < b_.workloads.size(); ++w) runs_.push_back(open_run(w, at, slots));
    } catch (const spec::InputError& error) {
      refusal_ = reason_of(error);
    }
  }

  OpenRun open_run(std::size_t w, std::span<const double> at, std::span<const double> slots) {
    OpenRun run;
    spec::Value document = b_.workloads[w].document;
    std::string key = fmt::format("{}\n", w);
    for (const spec::Override& change : settings_of(b_, w, at, slots)) {
      if (layout_key_at(change.path)) continue;  // those of the axes, point by point
      lay_over(document, change.path, change.value);
      if (changes_setting(change.path)) key += change.path + "=" + spec::render_yaml(change.value) + "\n";
    }
    const std::vector<spec::Member> own = take_layout(document, run.layout);
    std::vector<std::string> said;
    run.workload = predict::decode_workload(*b_.library, std::move(document), b_.workloads[w].name, {}, said);
    require_run_as_said(b_.workloads[w], {}, run.workload);
    run.layout.training = *run.workload.training;
    for (const spec::Member& member : own) {
      if (const auto layout_key = layout_key_at(member.key))
        set_layout_key(*layout_key, decode_layout_value(*layout_key, member.value), run.layout);
    }
    run.setting = settings_.setting(key, run.workload);
    if (options_.fidelity != chip::Fidelity::event) {
      run.predictor =
          std::make_unique<predict::LayoutPredictor>(run.workload, run.setting, b_.costs, options_.fidelity);
    }
    return run;
  }

  // Takes chips and parallelism out of a document, so that what is left can be decoded whatever the layout will be.
  static std::vector<spec::Member> take_layout(spec::Value& document, OpenLayout& layout) {
    std::vector<spec::Member> own;
    const auto take = [&](const std::string& path, const spec::Value& value) {
      if (path == "chips") {
        spec::Decoding decoding;
        layout.chips = spec::Node(&value, "chips", &decoding).as_count();
        decoding.diagnostics.throw_if_any();
      } else if (path == "parallelism") {
        own.clear();
        for (const spec::Member& member : value.members)
          own.push_back({"parallelism." + member.key, member.key_place, member.value});
      } else if (path.starts_with("parallelism.")) {
        own.push_back({path, value.place(), value});
      }
    };
    for (const spec::Member& member : document.members) take(member.key, member.value);
    if (const spec::Value* overrides = document.find("overrides")) {
      for (const spec::Member& member : overrides->members) take(member.key, member.value);
    }
    leave_out(document, "chips");
    leave_out(document, "parallelism");
    return own;
  }

  static constexpr const char* kNoLayout = "the model, its batch and its chips cannot be cut that way";

  const Blueprint& b_;
  SharedSettings& settings_;
  std::size_t first_;  // axis of the layout
  predict::PredictOptions options_;
  bool skips_redundant_ = false, is_open_ = false;
  std::vector<Keys> axes_;
  std::vector<double> opened_at_;
  std::string refusal_;
  std::vector<OpenRun> runs_;
};

}  // namespace

std::unique_ptr<Evaluator> make_training_evaluator(const Blueprint& blueprint, SharedSettings& settings) {
  return std::make_unique<TrainingEvaluator>(blueprint, settings);
}

}  // namespace mlosim::explore
