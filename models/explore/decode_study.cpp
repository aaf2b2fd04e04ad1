#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/explore/study.hpp"
#include "sim/units/check.hpp"

namespace mlosim::explore {
namespace {

using spec::Node;
using spec::Value;

bool is_word(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !fits(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return fits(c) || (c >= '0' && c <= '9'); });
}

// Without blanks at its ends.
std::string text_in(const Node& node) {
  const std::string text = node.as_text();
  const std::size_t first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

// `workloads: [NAME, {workload: NAME, name: chat, weight: 2}, {task: …}]` or `workload: NAME`.
void decode_workloads(Node& node, Study& study) {
  const auto add = [&](Node entry) {
    StudyWorkload w;
    if (entry.is_mapping() && entry.has("workload")) {
      Node& own = entry;
      const Node source = own.child("workload");
      if (source.is_present()) w.source = *source.value();
      w.name = own.text_or("name", "");
      w.weight = own.number_or("weight", 1);
      own.finish();
    } else if (entry.is_mapping() || entry.is_scalar()) {
      w.source = *entry.value();
    } else {
      entry.fail("expected a workload: a name, a file, or its fields");
      return;
    }
    if (w.name.empty() && w.source.is_scalar()) w.name = w.source.text;
    if (w.name.empty() && w.source.is_mapping()) {
      if (const Value* name = w.source.find("name")) w.name = name->text;
    }
    if (w.name.empty()) w.name = fmt::format("workload_{}", study.workloads.size() + 1);
    for (const StudyWorkload& other : study.workloads) {
      if (other.name == w.name)
        entry.fail(fmt::format("two workloads are called '{}'", w.name), "{workload: …, name: another}");
    }
    study.workloads.push_back(std::move(w));
  };
  if (node.has("workload")) {
    if (node.has("workloads")) node.fail_at("workload", "'workload' and 'workloads' are both given", "take one");
    add(node.child("workload"));
    node.child("workloads");
    return;
  }
  Node list = node.child("workloads");
  if (!list.is_sequence()) {
    node.fail("a study needs 'workload' or a list 'workloads'", "workload: llama-3.1-70b_decode_dgx_h200");
    return;
  }
  for (const Node& entry : list.items()) add(entry);
  if (study.workloads.empty()) list.fail("the list of workloads is empty");
}

// "chat:inference.batch" is meant for one workload.
std::pair<std::string, std::string> split_workload(const std::string& key) {
  const std::size_t colon = key.find(':');
  if (colon == std::string::npos) return {"", key};
  return {key.substr(0, colon), key.substr(colon + 1)};
}

void decode_axes(Node node, bool are_variables, Study& study) {
  if (!node.is_present()) return;
  if (!node.is_mapping()) {
    node.fail("expected members", "system.chip.hbm.bandwidth: [4 TB/s, 8 TB/s]");
    return;
  }
  std::size_t index = 0;
  for (const auto& [key, values] : node.members()) {
    Axis axis{.name = key,
              .place = node.value()->members[index++].key_place,
              .workload = {},
              .paths = {},
              .choices = {},
              .dimensions = {Dimension{}}};
    if (are_variables) {
      if (!is_word(key)) values.fail("a variable is called by one word", "letters, digits and _");
    } else {
      const auto [workload, path] = split_workload(key);
      axis.workload = workload;
      axis.paths = {path};
    }
    decode_axis_values(values, axis);
    if (are_variables && !axis.has_numbers(0)) values.fail("a variable is a number, with its unit where it has one");
    study.axes.push_back(std::move(axis));
  }
}

void decode_derived(Node node, Study& study) {
  if (!node.is_present()) return;
  if (!node.is_mapping()) {
    node.fail("expected members", "system.chip.vmem.capacity: \"64 MiB * share\"");
    return;
  }
  for (const auto& [path, value] : node.members()) {
    const std::string text = value.is_scalar() ? value.as_text() : "";
    if (text.empty()) value.fail("expected an expression", "such as \"2 * system.chip.l2.capacity\"");
    const auto [workload, own] = split_workload(path);
    study.derived.push_back(
        {.name = path, .path = own, .expression = text, .place = value.value()->place(), .workload = workload});
  }
}

void decode_constraints(Node node, Study& study) {
  if (!node.is_present()) return;
  if (node.is_scalar()) {
    study.constraints.push_back({text_in(node), node.value()->place()});
    return;
  }
  if (!node.is_sequence()) {
    node.fail("expected a list of comparisons", "[\"power_w_per_chip <= 600 W\", \"tpot_s <= 50 ms\"]");
    return;
  }
  for (const Node& item : node.items()) {
    if (item.is_scalar()) {
      study.constraints.push_back({text_in(item), item.value()->place()});
    } else {
      item.fail("expected a comparison", "such as \"tpot_s <= 50 ms\"");
    }
  }
}

// "time_s", {minimize: EXPRESSION, name: NAME} or {maximize: …}.
void decode_objective(const Node& item, Study& study) {
  if (!item.is_present()) {
    item.fail("expected a metric or an expression", "such as time_s or {maximize: tokens_per_s}");
    return;
  }
  ObjectiveText objective{.name = {}, .expression = {}, .place = item.value()->place()};
  if (item.is_scalar()) {
    objective.name = objective.expression = text_in(item);
  } else {
    Node entry = item;
    const bool maximises = entry.has("maximize"), minimises = entry.has("minimize");
    if (maximises == minimises) {
      item.fail("an objective is a metric, or one of {minimize: …} and {maximize: …}");
      return;
    }
    objective.maximises = maximises;
    objective.expression = entry.require_text(maximises ? "maximize" : "minimize");
    objective.name = entry.text_or("name", objective.expression);
    entry.finish();
  }
  study.objectives.push_back(std::move(objective));
}

void decode_objectives(Node& node, Study& study) {
  Node list = node.child("objectives");
  if (!list.is_present()) {
    node.fail("key 'objectives' is missing", "objectives: [time_s, energy_j]");
  } else if (!list.is_sequence()) {
    decode_objective(list, study);
  } else {
    for (const Node& item : list.items()) decode_objective(item, study);
    if (study.objectives.empty()) list.fail("the list of objectives is empty", "objectives: [time_s]");
  }
}

}  // namespace

std::string_view name_of(Combination combination) {
  switch (combination) {
    case Combination::geometric_mean:
      return "geometric_mean";
    case Combination::mean:
      return "mean";
    case Combination::worst:
      return "worst";
  }
  MLOSIM_CHECK(false);
}

Study decode_study(const Value& document, const std::string& unnamed) {
  if (!document.is_mapping())
    throw spec::InputError(
        {{.place = document.place(), .path = "", .message = "a study is a list of 'key: value'", .hint = ""}});
  spec::Decoding decoding;
  Node node(&document, "", &decoding);
  Study study;
  study.document = document;
  node.expect_schema("mlosim/study/1");
  study.name = node.text_or("name", unnamed);
  study.description = node.text_or("description", "");
  decode_workloads(node, study);
  if (const Node overrides = node.child("overrides"); overrides.is_present()) {
    if (overrides.is_mapping()) {
      study.overrides = overrides.value()->members;
    } else {
      overrides.fail("expected members ('system.chip.hbm.bandwidth: 9.6 TB/s')");
    }
  }
  study.fidelity = node.word_or<chip::Fidelity>("fidelity",
                                                {{"roofline", chip::Fidelity::roofline},
                                                 {"analytic", chip::Fidelity::analytic},
                                                 {"event", chip::Fidelity::event}},
                                                chip::Fidelity::analytic);
  decode_axes(node.child("variables"), true, study);
  decode_axes(node.child("axes"), false, study);
  decode_derived(node.child("derived"), study);
  decode_constraints(node.child("constraints"), study);
  decode_objectives(node, study);
  study.combination = node.word_or<Combination>(
      "combine",
      {{"geometric_mean", Combination::geometric_mean}, {"mean", Combination::mean}, {"worst", Combination::worst}},
      Combination::geometric_mean);
  study.search.place = document.place();
  decode_search(node.child("method"), study.search);
  if (node.has("keep")) study.keep = node.require_word<Keep>("keep", {{"all", Keep::all}, {"front", Keep::front}});
  node.finish();
  if (study.axes.empty() && study.search.method != Method::best_parallelism && decoding.diagnostics.empty())
    node.fail("a study needs 'axes'", "axes: {system.chip.hbm.bandwidth: [4 TB/s, 8 TB/s]}");
  for (std::size_t i = 0; i < study.axes.size(); ++i) {
    const bool is_continuous = study.axes[i].continuum.has_value();
    if (is_continuous && (study.search.method == Method::grid || study.search.method == Method::best_parallelism)) {
      decoding.diagnostics.add(
          {.place = study.axes[i].place,
           .path = "axes." + study.axes[i].name,
           .message = fmt::format("method '{}' needs steps in a range", name_of(study.search.method)),
           .hint = "add steps: 8, by: or factor:"});
    }
  }
  decoding.diagnostics.throw_if_any();
  return study;
}

Study read_study(const spec::Library& library, const std::string& name_or_path) {
  return decode_study(spec::read_document(library.require(spec::Shelf::studies, name_or_path)), name_or_path);
}

}  // namespace mlosim::explore
