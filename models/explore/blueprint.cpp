#include "models/explore/blueprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "models/explore/bind.hpp"
#include "models/explore/check_axis.hpp"
#include "models/explore/contradiction.hpp"
#include "models/explore/fingerprint.hpp"
#include "models/explore/machines.hpp"
#include "models/explore/overlay.hpp"
#include "models/explore/search_variables.hpp"
#include "models/explore/set_twice.hpp"
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
    check_names();
    diagnostics_.throw_if_any();
    round_counts();
    check_axes();
    add_layouts();
    order_axes();
    refuse_search_of_nothing();
    for (BaseWorkload& w : b_.workloads) w.settled = settle(w.document);
    for (BaseWorkload& w : b_.workloads) note_stacks_that_do_not_run(w);
    assign_slots();
    refuse_idle_replicas();
    find_paths_set_twice(b_, diagnostics_);
    diagnostics_.throw_if_any();
    bind_expressions(b_, warnings_);
    find_contradictions(b_, diagnostics_);
    diagnostics_.throw_if_any();
    check_figures(b_);
    b_.fingerprint = fingerprint_of(b_);
    return std::move(b_);
  }

 private:
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
                   .settled = {},
                   .decoded = {},
                   .hardware = {},
                   .takes_axis = {},
                   .takes_derived = {},
                   .refused_stacks = {}};
    for (const spec::Member& change : b_.study.overrides) lay_over(w.document, change.key, change.value);
    if (!axis_of("model")) read_model(w.document);
    decode(w);
    std::vector<std::string> said;  // again by make_setting
    w.hardware = predict::read_machine(library_, w.decoded, said);
    const predict::Setting setting = predict::make_setting(w.hardware, w.decoded, warnings_);
    for (const spec::Override& change : w.decoded.overrides) spec::apply_override(w.hardware, change);
    b_.workloads.push_back(std::move(w));
  }

  // Puts the model in place of its name: it is read once, and not again for each point.
  void read_model(Value& document) const {
    Value* model = document.find("model");
    if (Value* overrides = document.find("overrides")) {
      for (spec::Member& member : overrides->members) {
        if (member.key == "model") model = &member.value;  // the last one counts
      }
    }
    if (!model || !model->is_scalar()) return;
    Value read = spec::read_document(library_.require(spec::Shelf::models, model->text, model->place()));
    *model = std::move(read);
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

  // Names that stand for an axis in expressions stand for nothing else.
  void check_names() {
    for (const Axis& axis : b_.study.axes) {
      const auto refuse = [&](const std::string& message, const std::string& hint) {
        diagnostics_.add({axis.place, (axis.is_variable() ? "variables." : "axes.") + axis.name, message, hint});
      };
      const bool is_path = std::find(axis.paths.begin(), axis.paths.end(), axis.name) != axis.paths.end();
      if (!is_path && find_metric(axis.name))
        refuse(fmt::format("'{}' is a metric", axis.name), "call it something else");
      for (const Axis& other : b_.study.axes) {
        if (&other == &axis) break;
        if (other.name == axis.name) refuse(fmt::format("two axes are called '{}'", axis.name), "");
      }
    }
  }

  // A range over what is counted is one of whole numbers.
  void round_counts() {
    for (Axis& axis : b_.study.axes) {
      const bool counts = std::any_of(b_.workloads.begin(), b_.workloads.end(), [&](const BaseWorkload& w) {
        return (axis.workload.empty() || axis.workload == w.name) && is_range_of_counts(library_, w, axis);
      });
      if (counts && !make_whole(axis)) {
        diagnostics_.add(
            {axis.place, "axes." + axis.name, "there is no whole number between 'from' and 'to'", "it is counted"});
      }
    }
    diagnostics_.throw_if_any();
  }

  void check_axes() {
    for (const Axis& axis : b_.study.axes) {
      std::vector<spec::Diagnostic> unknown;
      bool is_taken = axis.is_variable(), is_meant = axis.workload.empty();
      for (BaseWorkload& w : b_.workloads) {
        const bool is_for = axis.workload.empty() || axis.workload == w.name;
        is_meant |= is_for;
        w.takes_axis.push_back(!axis.is_variable() && is_for &&
                               takes_axis(library_, w, axis, b_.study.axes, diagnostics_, unknown));
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

  // What the search goes through or what follows from that: the study can neither vary nor derive it.
  void refuse_layouts_of_the_study() {
    const auto refuse = [&](const std::string& owner, const std::string& path, const spec::Place& place) {
      if (path != "parallelism" && path != "parallelism.dp") return;
      diagnostics_.add({place, owner, "best_parallelism goes through the layouts itself; dp follows from 'chips'",
                        "limit it by method: {best_parallelism: {tp: [1, 2, 4, 8]}}"});
    };
    for (const Axis& axis : b_.study.axes) {
      for (const std::string& path : axis.paths) refuse("axes." + axis.name, path, axis.place);
    }
    for (const Derived& derived : b_.study.derived) refuse("derived." + derived.name, derived.path, derived.place);
  }

  // With so many chips dp is what the other degrees leave, whatever the study says.
  void refuse_idle_replicas() {
    const auto refuse = [&](const std::string& owner, const spec::Place& place, const std::string& chips) {
      diagnostics_.add({place, owner, fmt::format("dp follows from {} and the other degrees", chips),
                        "leave out either 'chips' or dp"});
    };
    const auto check = [&](const std::string& owner, const spec::Place& place, const std::string& whose) {
      const bool is_derived = std::any_of(b_.study.derived.begin(), b_.study.derived.end(),
                                          [](const Derived& derived) { return derived.path == "chips"; });
      if (is_derived || axis_of("chips")) return refuse(owner, place, "'chips'");
      for (const BaseWorkload& w : b_.workloads) {
        const Value* chips = w.settled.find("chips");
        if ((whose.empty() || whose == w.name) && chips && chips->is_scalar())
          return refuse(owner, place, fmt::format("the {} chips of {}", chips->text, w.name));
      }
    };
    for (const Axis& axis : b_.study.axes) {
      for (std::size_t c = 0; c < axis.paths.size(); ++c) {
        const bool has_dp = axis.paths[c] == "parallelism" &&
                            std::any_of(axis.choices.begin(), axis.choices.end(),
                                        [&](const Choice& choice) { return choice.values[c].find("dp") != nullptr; });
        if (has_dp || axis.paths[c] == "parallelism.dp") check("axes." + axis.name, axis.place, axis.workload);
      }
    }
    for (const Derived& derived : b_.study.derived) {
      if (derived.path == "parallelism.dp") check("derived." + derived.name, derived.place, derived.workload);
    }
  }

  void add_layouts() {
    if (!searches_layouts()) return;
    const spec::Place& place = b_.study.search.place;
    if (b_.workloads.size() != 1 || !b_.workloads.front().decoded.model) {
      diagnostics_.add({place, "method", "best_parallelism takes one workload, of a network",
                        "give the keys of parallelism as axes instead"});
      diagnostics_.throw_if_any();
    }
    refuse_layouts_of_the_study();
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
      ++b_.searched_axes;
    }
    diagnostics_.throw_if_any();
    // The workload's own layout is one of those.
    leave_out(w.document, "parallelism");
  }

  void note_stacks_that_do_not_run(BaseWorkload& w) const {
    for (const MachineOfStudy& machine : read_machines(b_, w)) {
      if (!machine.refusal.empty()) w.refused_stacks[{machine.system, machine.stack}] = machine.refusal;
    }
  }

  void refuse_search_of_nothing() {
    if (b_.study.search.method != Method::nsga2 || SearchVariables(b_.study).size() > 0) return;
    diagnostics_.add(
        {b_.study.search.place, "method", "nsga2 has nothing to vary: every axis has one value", "method: grid"});
  }

  // What a machine follows from varies slowest, a training layout fastest, and of those what best_parallelism goes
  // through: neighbouring points share what they can.
  void order_axes() {
    const std::size_t count = b_.study.axes.size();
    std::vector<std::pair<int, bool>> ranks;  // and what is laid over whole members of a workload comes behind those
    for (std::size_t i = 0; i < count; ++i) {
      const Axis& axis = b_.study.axes[i];
      ranks.emplace_back(i + b_.searched_axes >= count ? kSearched : rank_of(axis), !sets_a_member(axis));
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
    std::vector<Axis> axes;
    for (const std::size_t i : order) axes.push_back(b_.study.axes[i]);
    for (BaseWorkload& w : b_.workloads) {
      std::vector<bool> takes;
      for (const std::size_t i : order) takes.push_back(w.takes_axis[i]);
      w.takes_axis = std::move(takes);
    }
    b_.study.axes = std::move(axes);
    b_.layout_axes = static_cast<std::size_t>(
        std::count_if(ranks.begin(), ranks.end(), [](const auto& rank) { return rank.first >= kLayout; }));
  }

  static constexpr int kVariable = 0, kMachine = 1, kWorkload = 2, kLayout = 3, kSearched = 4;

  int rank_of(const Axis& axis) const {
    if (axis.is_variable()) return kVariable;
    int rank = all_train() ? kLayout : kWorkload;
    for (const std::string& path : axis.paths)
      rank = std::min(rank, changes_setting(path) ? kMachine : layout_key_at(path) ? kLayout : kWorkload);
    return rank;
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
