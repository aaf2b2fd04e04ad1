#include "models/explore/bind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/explore/axis_paths.hpp"
#include "models/explore/names.hpp"
#include "models/explore/workload_key.hpp"
#include "models/predict/setting.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::explore {
namespace {

class Binder {
 public:
  Binder(Blueprint& blueprint, std::vector<std::string>& warnings) : b_(blueprint), warnings_(warnings) {}

  void bind() {
    for (const Derived& derived : b_.study.derived) bind(derived);
    diagnostics_.throw_if_any();
    for (const ConstraintText& constraint : b_.study.constraints) {
      if (constraint.text != "fits") bind(constraint);  // which is always asked for
    }
    for (const ObjectiveText& objective : b_.study.objectives) bind(objective);
    diagnostics_.throw_if_any();
    warn_of_idle_variables();
  }

 private:
  template <class Work>
  void collect(const Work& work) {
    try {
      work();
    } catch (const spec::InputError& error) {
      for (const spec::Diagnostic& mistake : error.diagnostics()) diagnostics_.add(mistake);
    }
  }

  void bind(const Derived& derived) {
    const std::size_t index = b_.derived.size();
    const std::string owner = "derived." + derived.name;
    BoundDerived bound{.name = derived.name, .path = derived.path, .expression = {}};
    collect([&] {
      bound.expression = parse_expression(derived.expression, derived.place, owner, [&](const std::string& name) {
        return Names(b_).require(name, index, false);
      });
      settle_takers(derived, bound.expression.dimension(), owner);
    });
    b_.derived.push_back(std::move(bound));
  }

  // The number that the derived one takes the place of; empty where the workload has none.
  std::optional<ParsedQuantity> replaced_by(const Derived& derived, const BaseWorkload& w) const {
    if (!derived.workload.empty() && derived.workload != w.name) return std::nullopt;
    if (const auto number = number_at(w, derived.path)) return number;
    if (is_count_path(derived.path) && belongs_to_task(derived.path, w.decoded.task)) return ParsedQuantity{};
    return std::nullopt;
  }

  // Which workloads have such a number; all that have are of one dimension.
  void settle_takers(const Derived& derived, Dimension dimension, const std::string& owner) {
    bool is_taken = false;
    std::vector<std::string> names;
    for (BaseWorkload& w : b_.workloads) {
      const auto number = replaced_by(derived, w);
      names.push_back(w.name);
      w.takes_derived.push_back(number.has_value());
      if (!number) continue;
      is_taken = true;
      if (!(number->dimension == dimension)) {
        throw spec::InputError({{derived.place, owner, fmt::format("the expression is {}", describe(dimension)),
                                 fmt::format("expected {}", describe(number->dimension))}});
      }
    }
    if (is_taken) return;
    if (!derived.workload.empty() && std::find(names.begin(), names.end(), derived.workload) == names.end()) {
      throw spec::InputError({{derived.place, owner, fmt::format("no workload is called '{}'", derived.workload),
                               spec::spelling_hint(derived.workload, names)}});
    }
    const std::string nearest = spec::nearest_spelling(derived.path, known_paths(b_.workloads.front()));
    throw spec::InputError(
        {{derived.place, owner, fmt::format("no workload or machine has a number '{}'", derived.path),
          nearest.empty() || nearest == derived.path ? "" : fmt::format("did you mean '{}'?", nearest)}});
  }

  Resolve full_names() const {
    return [this](const std::string& name) { return Names(b_).require(name, b_.derived.size(), true); };
  }

  void bind(const ConstraintText& text) {
    collect([&] {
      BoundConstraint bound{.text = text.text,
                            .place = text.place,
                            .comparison = parse_comparison(text.text, text.place, "constraints", full_names())};
      for (const Expression* side : {&bound.comparison.left, &bound.comparison.right}) {
        for (const std::size_t slot : side->slots()) bound.takes_metrics |= slot >= b_.slots.own_metrics();
      }
      b_.constraints.push_back(std::move(bound));
    });
  }

  void bind(const ObjectiveText& text) {
    const auto refuse = [&](std::string message, std::string hint) {
      diagnostics_.add({text.place, "objectives", std::move(message), std::move(hint)});
    };
    collect([&] {
      BoundObjective bound{.name = text.name,
                           .place = text.place,
                           .expression = parse_expression(text.expression, text.place, "objectives", full_names())};
      const auto metric = Names(b_).metric(text.expression);
      if (!text.maximises && !metric) {
        return refuse("an expression needs a direction",
                      fmt::format("{{minimize: \"{0}\"}} or {{maximize: \"{0}\"}}", text.expression));
      }
      bound.maximises = text.maximises ? *text.maximises : metrics()[*metric].maximises;
      for (const BoundObjective& other : b_.objectives) {
        if (other.name == bound.name)
          return refuse(fmt::format("two objectives are called '{}'", bound.name), "give one a 'name'");
      }
      if (bound.expression.slots().empty()) {
        warnings_.push_back(spec::render_diagnostic(
            {text.place, "objectives", fmt::format("'{}' is the same at every point", bound.name), ""}));
      }
      b_.objectives.push_back(std::move(bound));
    });
  }

  // A variable multiplies the points; one that nothing takes does so for nothing.
  void warn_of_idle_variables() {
    std::vector<bool> is_taken(b_.slots.size(), false);
    const auto take = [&](const Expression& expression) {
      for (const std::size_t slot : expression.slots()) is_taken[slot] = true;
    };
    for (const BoundDerived& derived : b_.derived) take(derived.expression);
    for (const BoundObjective& objective : b_.objectives) take(objective.expression);
    for (const BoundConstraint& constraint : b_.constraints) {
      take(constraint.comparison.left);
      take(constraint.comparison.right);
    }
    for (std::size_t a = 0; a < b_.study.axes.size(); ++a) {
      const Axis& axis = b_.study.axes[a];
      if (!axis.is_variable() || is_taken[b_.slots.axis[a]]) continue;
      warnings_.push_back(spec::render_diagnostic(
          {axis.place, "variables." + axis.name, "no expression takes it: its points differ in nothing else", ""}));
    }
  }

  Blueprint& b_;
  std::vector<std::string>& warnings_;
  spec::Diagnostics diagnostics_;
};

predict::Prediction predict_base(const Blueprint& b, const BaseWorkload& w) {
  std::vector<std::string> said;
  predict::PredictOptions options;
  options.fidelity = chip::Fidelity::analytic;
  options.sensitivities = false;
  options.residuals = &b.residuals;
  return predict::predict(*b.library, w.decoded, predict::make_setting(w.hardware, w.decoded, said), options);
}

}  // namespace

void bind_expressions(Blueprint& blueprint, std::vector<std::string>& warnings) { Binder(blueprint, warnings).bind(); }

void check_figures(const Blueprint& b) {
  std::vector<predict::Prediction> predictions;
  for (const BaseWorkload& w : b.workloads) predictions.push_back(predict_base(b, w));
  spec::Diagnostics diagnostics;
  const auto check = [&](const Expression& expression, const spec::Place& place, const std::string& owner) {
    for (const std::size_t slot : expression.slots()) {
      for (std::size_t w = 0; w < b.workloads.size(); ++w) {
        const std::size_t own = b.slots.own_metrics(), named = b.slots.metrics_of(w), count = metrics().size();
        const bool takes_own = slot >= own && slot < own + count, takes_named = slot >= named && slot < named + count;
        if (!takes_own && !takes_named) continue;
        const Metric& metric = metrics()[takes_own ? slot - own : slot - named];
        if (!std::isnan(metric.of(predictions[w]))) continue;
        diagnostics.add(
            {place, owner, fmt::format("{} has no {}: {}", b.workloads[w].name, metric.name, metric.missing), ""});
      }
    }
  };
  for (const BoundObjective& objective : b.objectives) check(objective.expression, objective.place, "objectives");
  for (const BoundConstraint& constraint : b.constraints) {
    check(constraint.comparison.left, constraint.place, "constraints");
    check(constraint.comparison.right, constraint.place, "constraints");
  }
  diagnostics.throw_if_any();
}

}  // namespace mlosim::explore
