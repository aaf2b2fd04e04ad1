#include "models/explore/set_twice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "models/explore/overlay.hpp"
#include "models/explore/workload_key.hpp"

namespace mlosim::explore {
namespace {

constexpr std::array<std::string_view, 6> kMembers{"precision", "parallelism", "inference",
                                                   "train",     "runtime",     "economics"};

// One path that the study sets.
struct Setting {
  std::string owner;  // "axes.chip.clock"
  std::string path;   // canonical
  spec::Place place;
  std::string workload;                    // the only one that it is for; empty: all
  std::vector<const spec::Value*> values;  // of a list
};

std::vector<Setting> settings_in(const Blueprint& b) {
  std::vector<Setting> settings;
  for (const Axis& axis : b.study.axes) {
    for (std::size_t c = 0; c < axis.paths.size(); ++c) {
      Setting& setting = settings.emplace_back();
      setting = {"axes." + axis.name, canonical_path(axis.paths[c]), axis.place, axis.workload, {}};
      for (const Choice& choice : axis.choices) setting.values.push_back(&choice.values[c]);
    }
  }
  for (const Derived& derived : b.study.derived)
    settings.push_back({"derived." + derived.name, canonical_path(derived.path), derived.place, derived.workload, {}});
  return settings;
}

// "tp" of "parallelism.tp" below "parallelism"; empty where it is not below it.
std::string_view below(const std::string& path, const std::string& head) {
  const bool is_below = path.starts_with(head) && path.size() > head.size() && path[head.size()] == '.';
  return is_below ? std::string_view(path).substr(head.size() + 1) : std::string_view();
}

// A name is read before anything is laid over what it stands for.
bool is_exchanged_first(const std::string& path, const std::string& part) {
  return path == "system" || path == "model" || (path == "runtime" && !is_known_workload_path(part));
}

// Whether a value sets the key, too. A word means a mapping: "precision: fp8" is "precision: {weights: fp8}".
bool has_key(const spec::Value& value, const std::string& path, std::string_view key) {
  if (value.is_scalar()) return (path == "precision" && key == "weights") || (path == "runtime" && key == "framework");
  const std::size_t dot = key.find('.');
  const spec::Value* member = value.find(key.substr(0, dot));
  return member && (dot == std::string_view::npos || has_key(*member, "", key.substr(dot + 1)));
}

// Whether `under`, which is laid first, is undone by `over`, or sets the same.
bool collide(const Setting& under, const Setting& over) {
  if (under.path == over.path) return true;
  if (!below(under.path, over.path).empty()) return !is_exchanged_first(over.path, under.path);
  const std::string_view key = below(over.path, under.path);
  if (key.empty() || is_exchanged_first(under.path, over.path)) return false;
  return std::any_of(under.values.begin(), under.values.end(),
                     [&](const spec::Value* value) { return has_key(*value, under.path, key); });
}

std::string text_of(const spec::Place& place) {
  return place.line > 0 ? fmt::format(" at {}:{}:{}", place.file, place.line, place.column) : "";
}

}  // namespace

bool sets_a_member(const Axis& axis) {
  return std::any_of(axis.paths.begin(), axis.paths.end(), [](const std::string& path) {
    return std::find(kMembers.begin(), kMembers.end(), path) != kMembers.end();
  });
}

void find_paths_set_twice(const Blueprint& b, spec::Diagnostics& diagnostics) {
  const std::vector<Setting> settings = settings_in(b);
  for (std::size_t j = 0; j < settings.size(); ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      const Setting &under = settings[i], &over = settings[j];
      const bool meet = under.workload.empty() || over.workload.empty() || under.workload == over.workload;
      if (!meet || !collide(under, over)) continue;
      diagnostics.add(
          {over.place, over.owner,
           fmt::format("'{}' is set by '{}'{}, too", over.path.size() > under.path.size() ? over.path : under.path,
                       under.owner, text_of(under.place)),
           "one of them would be undone: leave one out"});
    }
  }
}

}  // namespace mlosim::explore
