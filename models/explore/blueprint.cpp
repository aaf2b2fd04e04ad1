#include "models/explore/blueprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "models/explore/axis_paths.hpp"
#include "models/explore/contradiction.hpp"
#include "models/explore/fingerprint.hpp"
#include "models/explore/names.hpp"
#include "models/explore/overlay.hpp"
#include "models/explore/training_layout.hpp"
#include "models/explore/workload_key.hpp"
#include "models/predict/setting.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::explore {
namespace {

using spec::Value;

class Drafter {
 public:
  Drafter(const spec::Library& library, Study study, std::vector<std::string>& warnings)
      : library_(library), warnings_(warnings), b_(library, std::move(study), predict::read_residuals(library)) {}

  Blueprint draw() {
    for (const StudyWorkload& entry : b_.study.workloads) read_workload(entry);
    for (const Axis& axis : b_.study.axes) refuse_repeated(axis);
    diagnostics_.throw_if_any();
    check_axes();
    add_layouts();
    order_axes();
    assign_slots();
    bind_derived();
    diagnostics_.throw_if_any();
    bind_constraints();
    bind_objectives();
    find_contradictions(b_, diagnostics_);
    diagnostics_.throw_if_any();
    check_metrics();
    diagnostics_.throw_if_any();
    b_.fingerprint = fingerprint_of(b_);
    return std::move(b_);
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

  const Axis* axis_of(std::string_view path) const {
    for (const Axis& axis : b_.study.axes) {
      if (std::find(axis.paths.begin(), axis.paths.end(), path) != axis.paths.end()) return &axis;
    }
    return nullptr;
  }

  bool searches_layouts() const { return b_.study.search.method == Method::best_parallelism; }

  void read_workload(const StudyWorkload& entry) {
    BaseWorkload w{.name = entry.name,
                   .weight = entry.weight,
                   .document = entry.source.is_mapping()
                                   ? entry.source
                                   : spec::read_document(library_.require(spec::Shelf::workloads, entry.source.text,
                                                                          entry.source.place())),
                   .decoded = {},
                   .hardware = {},
                   .takes_axis = {},
                   .takes_derived = {}};
    for (const spec::Member& change : b_.study.overrides) lay_over(w.document, change.key, change.value);
    if (const Value* model = w.document.find("model"); model && model->is_scalar() && !axis_of("model")) {
      // Read once, and not again for each point.
      Value read = spec::read_document(library_.require(spec::Shelf::models, model->text, model->place()));
      *w.document.find("model") = std::move(read);
    }
    decode(w);
    std::vector<std::string> said;  // again by make_setting
    w.hardware = predict::read_machine(library_, w.decoded, said);
    const predict::Setting setting = predict::make_setting(w.hardware, w.decoded, warnings_);
    for (const spec::Override& change : w.decoded.overrides) spec::apply_override(w.hardware, change);
    b_.workloads.push_back(std::move(w));
  }

  // As it is; where its own layout cannot be and the axes give another, with the first value of each.
  void decode(BaseWorkload& w) {
    Value own = w.document;
    if (searches_layouts()) {
      leave_out(own, "parallelism");
      leave_out(own, "chips");
    }
    try {
      w.decoded = predict::decode_workload(library_, own, w.name, {}, warnings_);
    } catch (const spec::InputError&) {
      for (const Axis& axis : b_.study.axes) {
        for (std::size_t i = 0; i < axis.paths.size() && !axis.choices.empty(); ++i) {
          if (is_workload_path(axis.paths[i]) && (axis.workload.empty() || axis.workload == w.name))
            lay_over(own, axis.paths[i], axis.choices.front().values[i]);
        }
      }
      std::vector<std::string> said;
      try {
        w.decoded = predict::decode_workload(library_, own, w.name, {}, said);
        return;
      } catch (const spec::InputError&) {  // the first mistake is the one to tell
      }
      throw;
    }
  }

  void refuse_repeated(const Axis& axis) {
    for (const Axis& other : b_.study.axes) {
      if (&other == &axis) return;
      for (const std::string& path : axis.paths) {
        const bool meets = other.workload.empty() || axis.workload.empty() || other.workload == axis.workload;
        for (const std::string& theirs : other.paths) {
          if (meets && canonical_path(path) == canonical_path(theirs))
            diagnostics_.add({axis.place, "axes." + axis.name, fmt::format("'{}' is set by two axes", path), ""});
        }
      }
      if (axis.name == other.name)
        diagnostics_.add({axis.place, "axes." + axis.name, fmt::format("two axes are called '{}'", axis.name), ""});
    }
  }

  void check_axes() {
    for (const Axis& axis : b_.study.axes) {
      std::vector<spec::Diagnostic> unknown;
      bool is_taken = axis.is_variable(), is_meant = axis.workload.empty();
      for (BaseWorkload& w : b_.workloads) {
        const bool is_for = axis.workload.empty() || axis.workload == w.name;
        is_meant |= is_for;
        w.takes_axis.push_back(!axis.is_variable() && is_for && takes_axis(library_, w, axis, diagnostics_, unknown));
        is_taken |= w.takes_axis.back();
      }
      if (!is_meant) {
        diagnostics_.add({axis.place, "axes." + axis.name, fmt::format("no workload is called '{}'", axis.workload),
                          spec::spelling_hint(axis.workload, workload_names())});
      } else if (!is_taken) {
        for (const spec::Diagnostic& mistake : unknown) diagnostics_.add(mistake);
      }
    }
    diagnostics_.throw_if_any();
  }

  std::vector<std::string> workload_names() const {
    std::vector<std::string> names;
    for (const BaseWorkload& w : b_.workloads) names.push_back(w.name);
    return names;
  }

  // How many chips the study gives a workload: those of the axis, or one number; none where it does not say.
  std::vector<std::int64_t> chips_of(const BaseWorkload& w) const {
    std::vector<const Value*> values;
    if (const Axis* axis = axis_of("chips")) {
      for (const Choice& choice : axis->choices) values.push_back(&choice.values.front());
    } else {
      if (const Value* own = w.document.find("chips")) values = {own};
      const Value* overrides = w.document.find("overrides");
      if (const Value* other = overrides ? overrides->find("chips") : nullptr) values = {other};
    }
    std::vector<std::int64_t> chips;
    spec::Decoding decoding;
    for (const Value* value : values) chips.push_back(spec::Node(value, "chips", &decoding).as_count());
    decoding.diagnostics.throw_if_any();
    return chips;
  }

  void add_layouts() {
    if (!searches_layouts()) return;
    const spec::Place& place = b_.study.search.place;
    if (b_.workloads.size() != 1 || !b_.workloads.front().decoded.model) {
      diagnostics_.add({place, "method", "best_parallelism takes one workload, of a network",
                        "give the keys of parallelism as axes instead"});
      diagnostics_.throw_if_any();
    }
    BaseWorkload& w = b_.workloads.front();
    const std::vector<std::int64_t> chips = chips_of(w);
    if (chips.empty()) {
      diagnostics_.add({place, "method", "best_parallelism needs to know how many chips there are",
                        "give the workload 'chips', or the study: overrides: {chips: 4096}"});
      diagnostics_.throw_if_any();
    }
    for (Axis& axis : layout_axes(b_.study.search, w.decoded, chips)) {
      if (axis_of(axis.name)) {
        diagnostics_.add({axis_of(axis.name)->place, "axes." + axis.name,
                          "best_parallelism goes through the layouts itself",
                          "limit it by method: {best_parallelism: {tp: [1, 2, 4, 8]}}"});
      }
      b_.study.axes.push_back(std::move(axis));
      w.takes_axis.push_back(true);
      ++b_.layout_axes;
    }
    diagnostics_.throw_if_any();
    // The workload's own layout is one of those.
    leave_out(w.document, "parallelism");
  }

  // What a machine follows from varies slowest, a training layout fastest: neighbouring points share what they can.
  void order_axes() {
    const auto rank = [&](const Axis& axis) {
      if (axis.is_variable()) return 0;
      int most = 3;
      for (const std::string& path : axis.paths)
        most = std::min(most, changes_setting(path) ? 1 : is_layout(path) ? 3 : 2);
      return most;
    };
    std::vector<std::size_t> order(b_.study.axes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return rank(b_.study.axes[a]) < rank(b_.study.axes[b]); });
    std::vector<Axis> axes;
    for (const std::size_t i : order) axes.push_back(b_.study.axes[i]);
    for (BaseWorkload& w : b_.workloads) {
      std::vector<bool> takes;
      for (const std::size_t i : order) takes.push_back(w.takes_axis[i]);
      w.takes_axis = std::move(takes);
    }
    b_.study.axes = std::move(axes);
    b_.layout_axes = 0;
    for (auto axis = b_.study.axes.rbegin(); axis != b_.study.axes.rend() && rank(*axis) == 3; ++axis) ++b_.layout_axes;
  }

  bool is_layout(const std::string& path) const {
    if (searches_layouts() && path.starts_with("parallelism.")) return true;
    return all_train() && layout_key_at(path).has_value();
  }
  bool all_train() const {
    return std::all_of(b_.workloads.begin(), b_.workloads.end(),
                       [](const BaseWorkload& w) { return w.decoded.training.has_value(); });
  }

  void assign_slots() {
    for (const Axis& axis : b_.study.axes) {
      b_.slots.axis.push_back(b_.slots.axes);
      b_.slots.axes += axis.columns();
    }
    b_.slots.derived = b_.study.derived.size();
    b_.slots.workloads = b_.workloads.size();
  }

  void bind_derived() {
    for (std::size_t i = 0; i < b_.study.derived.size(); ++i) {
      const Derived& d = b_.study.derived[i];
      const std::string owner = "derived." + d.path;
      collect([&] {
        b_.derived.push_back({d.path, parse_expression(d.expression, d.place, owner, [&](const std::string& name) {
                                return Names(b_).require(name, i, false);
                              })});
        check_derived(d, b_.derived.back().expression.dimension(), owner);
      });
      if (b_.derived.size() <= i) b_.derived.push_back({d.path, {}});  // reported
    }
  }

  void check_derived(const Derived& d, Dimension dimension, const std::string& owner) {
    if (axis_of(d.path)) throw spec::InputError({{d.place, owner, "is an axis already", ""}});
    bool is_taken = false;
    for (BaseWorkload& w : b_.workloads) {
      const auto number = number_at(w, d.path);
      w.takes_derived.push_back(number.has_value());
      if (!number) continue;
      is_taken = true;
      if (!(number->dimension == dimension)) {
        throw spec::InputError({{d.place, owner, fmt::format("the expression is {}", describe(dimension)),
                                 fmt::format("expected {}", describe(number->dimension))}});
      }
    }
    if (is_taken) return;
    std::vector<std::string> known = known_paths(b_.workloads.front());
    throw spec::InputError({{d.place, owner, fmt::format("no workload or machine has a number '{}'", d.path),
                             spec::spelling_hint(d.path, known)}});
  }

  Resolve full_names() {
    return [this](const std::string& name) { return Names(b_).require(name, b_.derived.size(), true); };
  }

  void bind_constraints() {
    for (const ConstraintText& text : b_.study.constraints) {
      if (text.text == "fits") continue;  // always asked for
      collect([&] {
        BoundConstraint bound{.text = text.text,
                              .comparison = parse_comparison(text.text, text.place, "constraints", full_names())};
        for (const Expression* side : {&bound.comparison.left, &bound.comparison.right}) {
          for (const std::size_t slot : side->slots()) bound.takes_metrics |= slot >= b_.slots.own_metrics();
        }
        b_.constraints.push_back(std::move(bound));
      });
    }
  }

  void bind_objectives() {
    for (const ObjectiveText& text : b_.study.objectives) {
      collect([&] {
        BoundObjective bound{.name = text.name,
                             .expression = parse_expression(text.expression, text.place, "objectives", full_names())};
        const auto metric = find_metric(text.expression);
        if (!text.maximises && !metric && text.expression.find('.') == std::string::npos)
          throw spec::InputError({{text.place, "objectives", "an expression needs a direction",
                                   fmt::format("{{minimize: \"{}\"}} or {{maximize: …}}", text.expression)}});
        bound.maximises = text.maximises.value_or(metric ? metrics()[*metric].maximises : false);
        for (const BoundObjective& other : b_.objectives) {
          if (other.name == bound.name)
            throw spec::InputError(
                {{text.place, "objectives", fmt::format("two objectives are called '{}'", bound.name), ""}});
        }
        b_.objectives.push_back(std::move(bound));
      });
    }
  }

  // A figure that a workload does not have can neither be an objective nor bound it.
  void check_metrics() {
    std::vector<predict::Prediction> predictions;
    for (const BaseWorkload& w : b_.workloads) {
      std::vector<std::string> said;
      predict::PredictOptions options;
      options.fidelity = chip::Fidelity::analytic;
      options.sensitivities = false;
      options.residuals = &b_.residuals;
      predictions.push_back(
          predict::predict(library_, w.decoded, predict::make_setting(w.hardware, w.decoded, said), options));
    }
    const auto check = [&](const Expression& expression, const spec::Place& place, const std::string& owner) {
      for (const std::size_t slot : expression.slots()) {
        for (std::size_t w = 0; w < b_.workloads.size(); ++w) {
          const std::size_t own = b_.slots.own_metrics(), named = b_.slots.metrics_of(w), count = metrics().size();
          const bool takes_own = slot >= own && slot < own + count, takes_named = slot >= named && slot < named + count;
          if (!takes_own && !takes_named) continue;
          const Metric& metric = metrics()[takes_own ? slot - own : slot - named];
          if (!std::isnan(metric.of(predictions[w]))) continue;
          diagnostics_.add(
              {place, owner, fmt::format("{} has no {}: {}", b_.workloads[w].name, metric.name, metric.missing), ""});
        }
      }
    };
    for (std::size_t i = 0; i < b_.objectives.size(); ++i)
      check(b_.objectives[i].expression, b_.study.objectives[i].place, "objectives");
    std::size_t bound = 0;
    for (const ConstraintText& text : b_.study.constraints) {
      if (text.text == "fits") continue;
      check(b_.constraints[bound].comparison.left, text.place, "constraints");
      check(b_.constraints[bound++].comparison.right, text.place, "constraints");
    }
  }

  const spec::Library& library_;
  std::vector<std::string>& warnings_;
  spec::Diagnostics diagnostics_;
  Blueprint b_;
};

}  // namespace

Blueprint draw_blueprint(const spec::Library& library, Study study, std::vector<std::string>& warnings) {
  return Drafter(library, std::move(study), warnings).draw();
}

}  // namespace mlosim::explore
