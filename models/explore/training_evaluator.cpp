#include "models/explore/training_evaluator.hpp"

#include <algorithm>
#include <utility>

#include "models/explore/open_machine.hpp"
#include "models/explore/overlay.hpp"
#include "models/explore/point_parts.hpp"
#include "models/explore/run_as_said.hpp"
#include "models/explore/space.hpp"
#include "models/explore/training_layout.hpp"
#include "models/predict/layout_predictor.hpp"

namespace mlosim::explore {
namespace {

// One workload on one machine, with its layout open.
struct OpenRun {
  OpenRun(const Blueprint& blueprint, SharedSettings& settings, std::size_t w, std::size_t axes)
      : parts(split_point(blueprint, w, axes)), machine(settings, w, parts) {}

  PointParts parts;
  bool is_decoded = false;
  std::vector<double> run_at, machine_at;  // where it was decoded
  predict::Workload workload;
  OpenMachine machine;
  OpenLayout layout;
  std::unique_ptr<predict::LayoutPredictor> predictor;  // none where steps are played
};

class TrainingEvaluator : public Evaluator {
 public:
  TrainingEvaluator(const Blueprint& blueprint, SharedSettings& settings)
      : b_(blueprint), first_(blueprint.study.axes.size() - blueprint.layout_axes) {
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
    for (std::size_t w = 0; w < blueprint.workloads.size(); ++w)
      runs_.push_back(std::make_unique<OpenRun>(blueprint, settings, w, first_));
  }

  Answer evaluate(std::span<const double> at, std::span<double> slots) override {
    const auto shared = at.first(first_);
    if (!is_open_ || !std::equal(shared.begin(), shared.end(), opened_at_.begin())) open(at, slots);
    if (!refusal_.empty())
      return {.verdict = Verdict::impossible, .reason = refusal_, .prunes = true, .shared = first_};
    for (std::size_t w = 0; w < runs_.size(); ++w) {
      Answer answer = evaluate_run(*runs_[w], at, w, slots);
      if (answer.verdict != Verdict::evaluated) return answer;
    }
    return {};
  }

 private:
  using Move = OpenMachine::Move;

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
      const predict::Setting& setting = run.machine.setting();
      predict::check_against_machine(run.workload, setting.hardware.system);
      if (!run.predictor) return judge(predict::predict(*b_.library, run.workload, setting, options_), w, slots);
      if (!run.predictor->fits(*run.workload.training)) return {.verdict = Verdict::impossible, .reason = kMisfit};
      return judge(run.predictor->predict(*run.workload.training), w, slots);
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

  // Finds out what all points share that differ in their layout alone.
  void open(std::span<const double> at, std::span<const double> slots) {
    opened_at_.assign(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(first_));
    is_open_ = true;
    refusal_.clear();
    try {
      for (std::size_t w = 0; w < b_.workloads.size(); ++w) open_run(*runs_[w], w, at, slots);
    } catch (const spec::InputError& error) {
      refusal_ = reason_of(error);
    }
  }

  void open_run(OpenRun& run, std::size_t w, std::span<const double> at, std::span<const double> slots) {
    const std::vector<spec::Override> settings = settings_of(b_, w, at, slots);
    const bool is_other_run = run.parts.run.moves(at, slots, run.run_at);
    const bool is_other_machine = run.parts.machine.moves(at, slots, run.machine_at);
    if (!run.is_decoded || is_other_run || is_other_machine) {
      run.is_decoded = false;
      run.predictor.reset();
      decode_run(run, w, settings);
      run.is_decoded = true;
    }
    const Move move = run.machine.move_to(at, slots, settings, run.workload);
    if (options_.fidelity == chip::Fidelity::event) return;
    if (!run.predictor || move == Move::machine || (move != Move::none && !keeps_plans(run))) {
      run.predictor =
          std::make_unique<predict::LayoutPredictor>(run.workload, run.machine.setting(), b_.costs, options_.fidelity);
    } else if (move == Move::numbers) {
      run.predictor->renew_prices();
    } else if (move == Move::network) {
      run.predictor->renew_network_prices();
    }
  }

  // Whether steps are planned alike whatever the machine's numbers are.
  static bool keeps_plans(const OpenRun& run) {
    return std::none_of(run.parts.paths.begin(), run.parts.paths.end(), [](const std::string& path) {
      return path.starts_with("runtime.") || path == "system.fabric.chips";
    });
  }

  void decode_run(OpenRun& run, std::size_t w, const std::vector<spec::Override>& settings) {
    spec::Value document = b_.workloads[w].document;
    for (const spec::Override& change : settings) {
      if (layout_key_at(change.path)) continue;  // those of the axes, point by point
      if (!is_of_machine(change.path)) lay_over(document, change.path, change.value);
    }
    run.layout = {};
    const std::vector<spec::Member> own = take_layout(document, run.layout);
    std::vector<std::string> said;
    run.workload = predict::decode_workload(*b_.library, std::move(document), b_.workloads[w].name, {}, said);
    require_run_as_said(b_.workloads[w], {}, run.workload);
    run.layout.training = *run.workload.training;
    for (const spec::Member& member : own) {
      if (const auto layout_key = layout_key_at(member.key))
        set_layout_key(*layout_key, decode_layout_value(*layout_key, member.value), run.layout);
    }
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
  std::size_t first_;  // axis of the layout
  predict::PredictOptions options_;
  bool skips_redundant_ = false, is_open_ = false;
  std::vector<Keys> axes_;
  std::vector<double> opened_at_;
  std::string refusal_;
  std::vector<std::unique_ptr<OpenRun>> runs_;  // one for each workload
};

}  // namespace

std::unique_ptr<Evaluator> make_training_evaluator(const Blueprint& blueprint, SharedSettings& settings) {
  return std::make_unique<TrainingEvaluator>(blueprint, settings);
}

}  // namespace mlosim::explore
