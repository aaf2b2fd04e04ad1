#include "models/explore/axis_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "models/explore/overlay.hpp"
#include "models/explore/workload_key.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::explore {
namespace {

using spec::Value;

// Beyond so many values only the ends and some between are tried one by one; a range has one kind of them all.
constexpr std::size_t kMostTried = 64;

void flatten(const Value& value, const std::string& path, std::vector<std::string>& paths) {
  if (value.is_scalar() || (value.is_mapping() && value.find("value"))) {
    paths.push_back(path);
    return;
  }
  for (const spec::Member& member : value.members) {
    if (member.key == "schema" || member.key == "source" || member.key == "kind" || member.key == "name") continue;
    flatten(member.value, path + "." + member.key, paths);
  }
}

const Value* find_below(const Value& root, std::string_view path) {
  const Value* at = &root;
  while (at && !path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    if (at->kind == Value::Kind::sequence) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      const bool is_index = error == std::errc() && end == key.data() + key.size() && index < at->items.size();
      at = is_index ? &at->items[index] : nullptr;
    } else {
      at = at->find(key);
    }
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at;
}

const Value* find_in_machine(const spec::HardwareDocuments& machine, const std::string& path) {
  const std::string canonical = canonical_path(path);
  const auto below = [&](std::string_view head, const Value& document) -> const Value* {
    return canonical.starts_with(head) ? find_below(document, std::string_view(canonical).substr(head.size()))
                                       : nullptr;
  };
  if (const Value* found = below("chip.", machine.chip)) return found;
  if (const Value* found = below("collectives.", machine.collectives)) return found;
  if (const Value* found = below("runtime.", machine.runtime)) return found;
  return below("system.", machine.system);
}

spec::Override override_of(const std::string& path, const Value& value) { return {path, value}; }

// Decodes the machine with one value of a hardware axis.
void try_machine(const BaseWorkload& workload, const Axis& axis, const Choice& choice) {
  spec::HardwareDocuments documents = workload.hardware;
  for (std::size_t i = 0; i < axis.paths.size(); ++i)
    spec::apply_override(documents, override_of(axis.paths[i], choice.values[i]));
  std::vector<std::string> warnings;
  spec::require_hardware(documents, warnings);
}

void try_workload(const spec::Library& library, const BaseWorkload& workload, const Axis& axis, const Choice& choice) {
  Value document = workload.document;
  for (std::size_t i = 0; i < axis.paths.size(); ++i) lay_over(document, axis.paths[i], choice.values[i]);
  std::vector<std::string> warnings;
  predict::decode_workload(library, std::move(document), workload.name, {}, warnings);
}

// The values that are tried: the ends of a continuum, evenly spread ones of a long list.
std::vector<Choice> tried_choices(const Axis& axis) {
  std::vector<Choice> tried;
  if (axis.continuum) {
    for (const double end : {axis.continuum->low, axis.continuum->high}) {
      Value value = spec::make_scalar(text_of_number(end, axis.dimensions.front()), axis.place.file);
      value.line = axis.place.line;
      value.column = axis.place.column;
      tried.push_back({.values = {value}, .numbers = {end}, .label = value.text});
    }
    return tried;
  }
  const std::size_t count = axis.choices.size(), steps = std::min(count, kMostTried);
  for (std::size_t i = 0; i < steps; ++i) tried.push_back(axis.choices[steps == 1 ? 0 : i * (count - 1) / (steps - 1)]);
  return tried;
}

enum class Where { workload, machine, model };

Where where_is(const std::string& path) {
  if (is_workload_path(path)) return Where::workload;
  return spec::is_hardware_path(path) ? Where::machine : Where::model;
}

// Whether decoding stumbles over the path itself and not over its value.
bool is_about_a_key(const spec::InputError& error) {
  const auto& mistakes = error.diagnostics();
  return std::any_of(mistakes.begin(), mistakes.end(), [](const spec::Diagnostic& mistake) {
    for (const std::string_view sign : {"unknown key", "no members", "is not an index", "starts with no part",
                                        "cannot be exchanged", "laid over the chip before"}) {
      if (mistake.message.find(sign) != std::string::npos) return true;
    }
    return false;
  });
}

}  // namespace

std::vector<std::string> known_paths(const BaseWorkload& workload) {
  std::vector<std::string> paths;
  for (const std::string& path : workload_paths()) {
    if (belongs_to_task(path, workload.decoded.task)) paths.push_back(path);
  }
  flatten(workload.hardware.chip, "system.chip", paths);
  flatten(workload.hardware.chip, "chip", paths);
  flatten(workload.hardware.collectives, "collectives", paths);
  flatten(workload.hardware.runtime, "runtime", paths);
  Value system = workload.hardware.system;
  leave_out(system, "chip");
  leave_out(system, "collectives");
  flatten(system, "system", paths);
  if (const Value* model = workload.document.find("model")) flatten(*model, "model", paths);
  return paths;
}

std::optional<ParsedQuantity> number_at(const BaseWorkload& workload, const std::string& path) {
  const Value* value =
      spec::is_hardware_path(path) ? find_in_machine(workload.hardware, path) : find_below(workload.document, path);
  if (value && value->is_mapping()) value = value->find("value");
  if (!value || !value->is_scalar()) return std::nullopt;
  const auto parsed = parse_quantity(value->text);
  const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
  return quantity ? std::optional(*quantity) : std::nullopt;
}

bool takes_axis(const spec::Library& library, const BaseWorkload& workload, const Axis& axis,
                spec::Diagnostics& diagnostics, std::vector<spec::Diagnostic>& unknown) {
  bool has_machine = false, has_model = false;
  for (const std::string& path : axis.paths) {
    if (!belongs_to_task(path, workload.decoded.task)) {
      unknown.push_back(
          {.place = axis.place,
           .path = "axes." + axis.name,
           .message = fmt::format("the task '{}' has no '{}'", predict::name_of(workload.decoded.task), path),
           .hint = ""});
      return false;
    }
    has_machine |= where_is(path) == Where::machine;
    has_model |= where_is(path) == Where::model;
  }
  const auto refuse_path = [&](const std::string& path, const std::string& hint) {
    const std::string nearest = spec::nearest_spelling(path, known_paths(workload));
    unknown.push_back({.place = axis.place,
                       .path = "axes." + axis.name,
                       .message = fmt::format("{} has no '{}'", workload.name, path),
                       .hint = nearest.empty() || nearest == path ? hint : fmt::format("did you mean '{}'?", nearest)});
    return false;
  };
  for (const Choice& choice : tried_choices(axis)) {
    for (std::size_t i = 0; i < axis.paths.size(); ++i) {
      if (where_is(axis.paths[i]) != Where::workload) continue;
      const auto wrong = check_workload_value(axis.paths[i], choice.values[i]);
      if (wrong && wrong->message == "a workload has no such key") return refuse_path(axis.paths[i], wrong->hint);
      if (wrong) diagnostics.add(*wrong);
      if (axis.paths[i] == "system") {
        if (const auto misnamed = spec::check_system_name(library, choice.values[i].text, choice.values[i].place()))
          diagnostics.add(*misnamed);
      }
    }
    try {
      if (has_machine) try_machine(workload, axis, choice);
      if (has_model) try_workload(library, workload, axis, choice);
    } catch (const spec::InputError& error) {
      if (is_about_a_key(error)) return refuse_path(axis.paths.front(), error.diagnostics().front().hint);
      for (const spec::Diagnostic& mistake : error.diagnostics()) diagnostics.add(mistake);
    }
  }
  return true;
}

}  // namespace mlosim::explore
