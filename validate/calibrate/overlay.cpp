#include "validate/calibrate/overlay.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "sim/spec/document.hpp"

namespace mlosim::calibrate {
namespace {

std::string suites_in_words(const std::vector<std::string>& suites) {
  constexpr std::size_t kNamed = 2;
  const auto named = static_cast<std::ptrdiff_t>(std::min(suites.size(), kNamed));
  std::string words = fmt::format("{}", fmt::join(suites.begin(), suites.begin() + named, " + "));
  if (suites.size() > kNamed) words += fmt::format(" and {} more", suites.size() - kNamed);
  return words;
}

// Mappings in the order in which their first number was listed.
struct Tree {
  std::string key;
  const Entry* entry = nullptr;  // of a leaf
  std::vector<Tree> members{};

  void add(std::string_view path, const Entry& leaf) {
    const std::size_t dot = path.find('.');
    const std::string name(path.substr(0, dot));
    auto member = std::find_if(members.begin(), members.end(), [&](const Tree& m) { return m.key == name; });
    if (member == members.end()) member = members.insert(members.end(), {.key = name});
    if (dot == std::string_view::npos) {
      member->entry = &leaf;
    } else {
      member->add(path.substr(dot + 1), leaf);
    }
  }

  void render(std::size_t indent, std::string& out) const {
    for (const Tree& member : members) {
      out += std::string(indent, ' ') + member.key + ":";
      out += member.entry ? " " + member.entry->annotated() + "\n" : "\n";
      member.render(indent + 2, out);
    }
  }
};

}  // namespace

std::string Entry::annotated() const {
  spec::Value quoted = spec::make_scalar(source, "");
  quoted.quoted = true;
  std::string yaml = spec::render_yaml(quoted);  // on a line of its own, after a space
  yaml.pop_back();
  return fmt::format("{{value: {}, kind: fitted, source:{}}}", text, yaml);
}

std::vector<Entry> entries_of(const Calibration& calibration, const std::string& date) {
  std::vector<Entry> entries;
  for (const FittedParameter& p : calibration.parameters) {
    if (!p.is_changed) continue;
    std::string source =
        fmt::format("CAL, {}, {} rows{}, {}", suites_in_words(calibration.suites), calibration.fitted.after.rows,
                    calibration.held_out.after.rows > 0 ? ", half of the shapes" : "", date);
    source += p.parameter.rule.is_discrete()
                  ? "; the best of the listed values"
                  : fmt::format("; se {:.2g} %", std::max(0.1, 100 * p.identification.standard_error));
    entries.push_back({p.parameter.path.substr(std::string_view("chip.").size()), p.text, std::move(source)});
  }
  return entries;
}

std::string render_overlay(const Calibration& calibration, const std::vector<Entry>& entries) {
  const std::string prefix = calibration.runtime.empty() ? "" : "families." + calibration.family + ".";
  Tree root;
  for (const Entry& entry : entries) root.add(prefix + entry.path, entry);
  std::string out;
  root.render(0, out);
  return out;
}

}  // namespace mlosim::calibrate
