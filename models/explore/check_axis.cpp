#include "models/explore/check_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "models/explore/axis_paths.hpp"
#include "models/explore/overlay.hpp"
#include "models/explore/workload_key.hpp"
#include "models/predict/setting.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::explore {
namespace {

using spec::Value;

// Beyond so many numbers only the ends and some between are tried one by one; a range has one kind of them all.
constexpr std::size_t kMostTried = 64;
// Nobody reads more mistakes of one axis.
constexpr std::size_t kMostTold = 10;

enum class Where { workload, machine, model };

Where where_is(const std::string& path) {
  if (is_workload_path(path)) return Where::workload;
  return spec::is_hardware_path(path) ? Where::machine : Where::model;
}

bool mentions(const spec::Diagnostic& mistake, std::initializer_list<std::string_view> signs) {
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return mistake.message.find(sign) != std::string::npos; });
}

// Whether decoding stumbles over the path itself and not over its value.
bool is_about_a_key(const spec::InputError& error) {
  const auto& mistakes = error.diagnostics();
  return std::any_of(mistakes.begin(), mistakes.end(), [](const spec::Diagnostic& mistake) {
    return mentions(mistake, {"unknown key", "no members", "is not an index", "starts with no part",
                              "cannot be exchanged", "laid over the chip before"});
  });
}

// Whether the value is wrong whatever else the workload says: no word or member of its path, or of another kind.
bool is_about_a_value(const spec::Diagnostic& mistake, const std::vector<std::string>& paths) {
  const auto is_here = [&](const std::string& path) {
    return mistake.path == path || mistake.path.starts_with(path + ".");
  };
  const bool is_of_layout = mistake.path.starts_with("parallelism") || mistake.path.starts_with("inference") ||
                            mistake.path.starts_with("train");
  return std::any_of(paths.begin(), paths.end(), is_here) &&
         (!is_of_layout || mentions(mistake, {"unknown value", "unknown key", "expected ", "is not a whole number",
                                              "is not a number", "is less than", "a value is missing"}));
}

Choice choice_of(double x, const Axis& axis) {
  Value value = spec::make_scalar(text_of_number(x, axis.dimensions.front()), axis.place.file);
  value.line = axis.place.line;
  value.column = axis.place.column;
  return {.values = {value}, .numbers = {x}, .label = value.text};
}

// The values that are tried in the machine and the model: the ends of a continuum, evenly spread ones of a long list,
// and all that are no numbers.
std::vector<Choice> tried_choices(const Axis& axis) {
  if (axis.continuum) return {choice_of(axis.continuum->low, axis), choice_of(axis.continuum->high, axis)};
  std::vector<Choice> tried;
  const std::size_t count = axis.choices.size(), stride = std::max<std::size_t>(1, (count - 1) / (kMostTried - 1));
  for (std::size_t i = 0; i < count; ++i) {
    const Choice& choice = axis.choices[i];
    const bool is_number =
        std::none_of(choice.numbers.begin(), choice.numbers.end(), [](double x) { return std::isnan(x); });
    if (i % stride == 0 || i + 1 == count || !is_number) tried.push_back(choice);
  }
  return tried;
}

class AxisCheck {
 public:
  AxisCheck(const spec::Library& library, const BaseWorkload& workload, const Axis& axis, std::span<const Axis> all)
      : library_(library), workload_(workload), axis_(axis), all_(all) {}

  bool takes(spec::Diagnostics& diagnostics, std::vector<spec::Diagnostic>& unknown) const {
    for (const std::string& path : axis_.paths) {
      if (auto wrong = check_path(path)) {
        unknown.push_back(std::move(*wrong));
        return false;
      }
    }
    check_words(diagnostics);
    for (const Choice& choice : tried_choices(axis_)) {
      try {
        if (has(axis_, Where::machine)) try_machine(choice);
        if (has(axis_, Where::model)) try_model(choice);
      } catch (const spec::InputError& error) {
        if (is_about_a_key(error)) {
          unknown.push_back(unknown_path(axis_.paths.front(), error.diagnostics().front().hint));
          return false;
        }
        for (const spec::Diagnostic& mistake : error.diagnostics()) diagnostics.add(mistake);
      }
    }
    return true;
  }

  // A number between the ends that is none tells what takes whole ones alone.
  bool counts() const {
    if (axis_.paths.size() != 1 || !(axis_.dimensions.front() == Dimension{})) return false;
    const std::string& path = axis_.paths.front();
    if (where_is(path) == Where::workload) return is_count_path(path);
    const double low = axis_.continuum ? axis_.continuum->low : axis_.choices.front().numbers.front();
    const Choice choice = choice_of(std::floor(low) + 0.5, axis_);
    try {
      where_is(path) == Where::machine ? try_machine(choice) : try_model(choice);
    } catch (const spec::InputError& error) {
      const auto& mistakes = error.diagnostics();
      return std::any_of(mistakes.begin(), mistakes.end(),
                         [](const spec::Diagnostic& mistake) { return mentions(mistake, {"is not a whole number"}); });
    }
    return false;
  }

 private:
  static bool has(const Axis& axis, Where where) {
    return std::any_of(axis.paths.begin(), axis.paths.end(),
                       [&](const std::string& path) { return where_is(path) == where; });
  }

  spec::Diagnostic unknown_path(const std::string& path, const std::string& hint) const {
    const std::string nearest = spec::nearest_spelling(path, known_paths(workload_));
    return {.place = axis_.place,
            .path = "axes." + axis_.name,
            .message = fmt::format("{} has no '{}'", workload_.name, path),
            .hint = nearest.empty() || nearest == path ? hint : fmt::format("did you mean '{}'?", nearest)};
  }

  std::optional<spec::Diagnostic> check_path(const std::string& path) const {
    if (!belongs_to_task(path, workload_.decoded.task)) {
      return spec::Diagnostic{
          .place = axis_.place,
          .path = "axes." + axis_.name,
          .message = fmt::format("the task '{}' has no '{}'", predict::name_of(workload_.decoded.task), path),
          .hint = ""};
    }
    if (where_is(path) == Where::workload && !is_known_workload_path(path))
      return unknown_path(path, spec::spelling_hint(path, workload_paths()));
    const auto leaf = where_is(path) == Where::machine ? leaf_above(workload_, path) : std::nullopt;
    if (leaf) return unknown_path(path, fmt::format("'{}' has no members", *leaf));
    return std::nullopt;
  }

  // Values of the workload's own keys, all of them: each is cheap to look at.
  void check_words(spec::Diagnostics& diagnostics) const {
    const bool has_words = std::any_of(axis_.paths.begin(), axis_.paths.end(), takes_words);
    const std::size_t before = diagnostics.list().size();
    for (const Choice& choice : axis_.continuum ? tried_choices(axis_) : axis_.choices) {
      if (diagnostics.list().size() >= before + kMostTold) return;
      for (std::size_t i = 0; i < axis_.paths.size(); ++i) {
        const Value& value = choice.values[i];
        if (where_is(axis_.paths[i]) != Where::workload) continue;
        if (const auto wrong = check_workload_value(axis_.paths[i], value)) {
          diagnostics.add(*wrong);
        } else if (axis_.paths[i] == "system") {
          if (const auto misnamed = spec::check_system_name(library_, value.text, value.place()))
            diagnostics.add(*misnamed);
        } else if (axis_.paths[i] == "model") {
          check_model(value, diagnostics);
        } else if (axis_.paths[i] == "runtime" || axis_.paths[i] == "runtime.framework") {
          check_runtime(value, diagnostics);
        }
      }
      if (has_words) check_members(choice, diagnostics);
    }
  }

  void check_model(const Value& value, spec::Diagnostics& diagnostics) const {
    try {
      std::vector<std::string> said;
      predict::load_model(library_, value, {}, said);
    } catch (const spec::InputError& error) {
      for (const spec::Diagnostic& mistake : error.diagnostics()) diagnostics.add(mistake);
    }
  }

  // A stack that is not known would be another one without a word.
  void check_runtime(const Value& value, spec::Diagnostics& diagnostics) const {
    const Value* name = value.is_mapping() ? value.find("framework") : &value;
    if (!name || !name->is_scalar()) return;
    std::vector<std::string> said;
    predict::Workload workload = workload_.decoded;
    workload.runtime.profile = name->text;
    try {
      predict::read_machine(library_, workload, said);
    } catch (const spec::InputError& error) {
      for (const spec::Diagnostic& mistake : error.diagnostics()) diagnostics.add(mistake);
    }
    for (const std::string& warning : said) {
      if (warning.starts_with("no runtime is called"))
        diagnostics.add({.place = name->place(), .path = "axes." + axis_.name, .message = warning, .hint = ""});
    }
  }

  void check_members(const Choice& choice, spec::Diagnostics& diagnostics) const {
    try {
      try_workload(choice);
    } catch (const spec::InputError& error) {
      for (const spec::Diagnostic& mistake : error.diagnostics()) {
        if (is_about_a_value(mistake, axis_.paths)) diagnostics.add(mistake);
      }
    }
  }

  // Decodes the machine with one value of a hardware axis, alone or beside the first or last ones of the other axes.
  void try_machine(const Choice& choice) const {
    try {
      decode_machine(choice, {});
    } catch (const spec::InputError& error) {
      if (is_about_a_key(error) || !stands_beside_others(choice)) throw;
    }
  }

  bool stands_beside_others(const Choice& choice) const {
    std::vector<std::pair<const Axis*, Choice>> first, last;
    for (const Axis& other : all_) {
      const bool is_here = other.workload.empty() || other.workload == workload_.name;
      if (&other == &axis_ || !is_here || !has(other, Where::machine)) continue;
      const std::vector<Choice> ends = tried_choices(other);
      first.emplace_back(&other, ends.front());
      last.emplace_back(&other, ends.back());
    }
    if (first.empty()) return false;
    for (const auto& others : {first, last}) {
      try {
        decode_machine(choice, others);
        return true;
      } catch (const spec::InputError&) {
        continue;
      }
    }
    return false;
  }

  void decode_machine(const Choice& choice, const std::vector<std::pair<const Axis*, Choice>>& others) const {
    spec::HardwareDocuments documents = workload_.hardware;
    const auto lay = [&](const Axis& axis, const Choice& values) {
      for (std::size_t i = 0; i < axis.paths.size(); ++i) {
        if (where_is(axis.paths[i]) == Where::machine)
          spec::apply_override(documents, {axis.paths[i], values.values[i]});
      }
    };
    for (const auto& [other, values] : others) lay(*other, values);
    lay(axis_, choice);
    std::vector<std::string> warnings;
    spec::require_hardware(documents, warnings);
  }

  // Throws what the model, operators or reality say of the value; a layout that does not go with it may be another's.
  void try_model(const Choice& choice) const {
    try {
      try_workload(choice);
    } catch (const spec::InputError& error) {
      std::vector<spec::Diagnostic> own;
      for (const spec::Diagnostic& mistake : error.diagnostics()) {
        const bool is_of_layout = mistake.path.empty() || mistake.path == "chips" ||
                                  mistake.path.starts_with("parallelism") || mistake.path.starts_with("inference") ||
                                  mistake.path.starts_with("train");
        if (!is_of_layout) own.push_back(mistake);
      }
      if (!own.empty()) throw spec::InputError(std::move(own));
    }
  }

  void try_workload(const Choice& choice) const {
    Value document = workload_.document;
    for (std::size_t i = 0; i < axis_.paths.size(); ++i) lay_over(document, axis_.paths[i], choice.values[i]);
    std::vector<std::string> warnings;
    predict::decode_workload(library_, std::move(document), workload_.name, {}, warnings);
  }

  const spec::Library& library_;
  const BaseWorkload& workload_;
  const Axis& axis_;
  std::span<const Axis> all_;
};

}  // namespace

bool takes_axis(const spec::Library& library, const BaseWorkload& workload, const Axis& axis, std::span<const Axis> all,
                spec::Diagnostics& diagnostics, std::vector<spec::Diagnostic>& unknown) {
  return AxisCheck(library, workload, axis, all).takes(diagnostics, unknown);
}

bool is_range_of_counts(const spec::Library& library, const BaseWorkload& workload, const Axis& axis) {
  return (axis.continuum || axis.is_spread) && AxisCheck(library, workload, axis, {}).counts();
}

}  // namespace mlosim::explore
