#include "validate/cuda/measure/listing.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

namespace mlosim::measure {
namespace {

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string render_values(const Axis& axis) {
  constexpr std::size_t kMostShown = 8;
  std::string text = "    " + axis.name + ": ";
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    if (axis.values.size() > kMostShown && i == kMostShown - 2) {
      text += " ... " + axis.values.back() + " (" + std::to_string(axis.values.size()) + " values)";
      break;
    }
    text += (i > 0 ? " " : "") + axis.values[i];
  }
  return text + "\n";
}

// Reasons that many states share are told once, with how many there are.
std::string render_left_out(const std::vector<LeftOut>& left_out) {
  struct Shared {
    const LeftOut* first;
    std::size_t count;
  };
  std::vector<Shared> reasons;
  std::map<std::string, std::size_t> place;
  for (const LeftOut& one : left_out) {
    const std::string key = one.name.substr(0, one.name.find(' ')) + "\n" + one.reason;
    const auto [at, is_new] = place.emplace(key, reasons.size());
    if (is_new) reasons.push_back({&one, 0});
    ++reasons[at->second].count;
  }
  std::string text;
  for (const Shared& shared : reasons) {
    const std::string more = shared.count > 1 ? " (and " + std::to_string(shared.count - 1) + " more)" : "";
    text += "left out: " + shared.first->name + more + ": " + shared.first->reason + "\n";
  }
  return text;
}

}  // namespace

std::string render_time(Seconds time) {
  const double seconds = time.count();
  if (seconds < 100) return fixed(seconds, seconds < 10 ? 2 : 0) + " s";
  if (seconds < 6000) return fixed(seconds / 60, 0) + " min";
  return fixed(seconds / 3600, 1) + " h";
}

std::string render_list(const std::vector<Case>& cases) {
  std::string text;
  for (const Group group : all_groups()) {
    std::string lines;
    for (const Case& one : cases) {
      if (one.group != group) continue;
      lines += "  " + padded(one.name, 24) + one.summary + "\n";
      if (!one.absent.empty()) lines += "    not in this build: " + one.absent + "\n";
      for (const Axis& axis : one.axes) lines += render_values(axis);
    }
    if (!lines.empty()) text += std::string(to_string(group)) + "\n" + lines;
  }
  return text;
}

std::string render_plan(const DeviceFacts& facts, const std::vector<Work>& works, const std::vector<LeftOut>& left_out,
                        std::size_t beyond_budget) {
  std::string text = "plan for " + facts.chip + " (" +
                     (facts.cuda_name.empty() ? "nominal figures, no GPU was asked" : facts.cuda_name) + ")\n";
  std::size_t width = 0;
  for (const Work& work : works) width = std::max(width, work.name().size());
  std::map<Group, std::pair<std::size_t, Seconds>> by_group;
  for (std::size_t i = 0; i < works.size(); ++i) {
    text += right(std::to_string(i + 1), 6) + "  " + padded(works[i].name(), width) +
            right(fixed(works[i].estimate.count(), 2), 9) + " s\n";
    auto& [count, time] = by_group[works[i].of->group];
    ++count;
    time += works[i].estimate;
  }
  text += render_left_out(left_out);
  for (const auto& [group, sum] : by_group)
    text += padded(to_string(group), 12) + right(std::to_string(sum.first), 6) + " states, about " +
            render_time(sum.second) + "\n";
  Seconds total{0};
  for (const Work& work : works) total += work.estimate;
  text += padded("all", 12) + right(std::to_string(works.size()), 6) + " states, about " + render_time(total) + "\n";
  if (beyond_budget > 0) text += std::to_string(beyond_budget) + " more states are beyond the budget\n";
  return text;
}

}  // namespace mlosim::measure
