#include "sim/event/stall_report.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "sim/event/process.hpp"

namespace mlosim::event {
namespace {

// Walks the graph "waits for" depth first and keeps the path; a step back onto the path closes a cycle.
class CycleSearch {
 public:
  explicit CycleSearch(const std::vector<const ProcessRecord*>& waiting)
      : waiting_(waiting), visited_(waiting.size(), false) {}

  std::vector<std::vector<std::string>> run() {
    for (std::size_t i = 0; i < waiting_.size(); ++i) visit(i);
    return std::move(cycles_);
  }

 private:
  struct Step {
    std::size_t process;
    std::vector<const ProcessRecord*> holders;
    std::size_t next = 0;
  };

  void enter(std::size_t process) {
    visited_[process] = true;
    path_.push_back({process, waiting_[process]->waits_on()->holders()});
  }

  void visit(std::size_t start) {
    if (visited_[start]) return;
    enter(start);
    while (!path_.empty()) {
      Step& step = path_.back();
      if (step.next == step.holders.size()) {
        path_.pop_back();
        continue;
      }
      const auto found = std::find(waiting_.begin(), waiting_.end(), step.holders[step.next++]);
      if (found == waiting_.end()) continue;
      const std::size_t holder = static_cast<std::size_t>(found - waiting_.begin());
      if (visited_[holder]) {
        keep_cycle_to(holder);
      } else {
        enter(holder);
      }
    }
  }

  void keep_cycle_to(std::size_t process) {
    const auto begin = std::find_if(path_.begin(), path_.end(), [&](const Step& s) { return s.process == process; });
    if (begin == path_.end()) return;
    std::vector<std::string> cycle;
    for (auto step = begin; step != path_.end(); ++step) cycle.emplace_back(waiting_[step->process]->name());
    cycles_.push_back(std::move(cycle));
  }

  const std::vector<const ProcessRecord*>& waiting_;
  std::vector<bool> visited_;
  std::vector<Step> path_;
  std::vector<std::vector<std::string>> cycles_;
};

}  // namespace

StallReport build_stall_report(Time at, const std::vector<const ProcessRecord*>& waiting) {
  StallReport report{.at = at, .waiting = {}, .cycles = {}};
  for (const ProcessRecord* process : waiting) {
    const Waitable& on = *process->waits_on();
    std::vector<std::string> held_by;
    for (const ProcessRecord* holder : on.holders()) held_by.emplace_back(holder->name());
    report.waiting.push_back({.process = std::string(process->name()),
                              .kind = std::string(on.kind()),
                              .on = std::string(on.name()),
                              .since = process->waits_since(),
                              .held_by = std::move(held_by)});
  }
  report.cycles = CycleSearch(waiting).run();
  return report;
}

std::string render_stall_report(const StallReport& report) {
  if (report.empty()) return {};
  std::string text = fmt::format("run ended at {} ps with {} process{} waiting\n", report.at.ps(),
                                 report.waiting.size(), report.waiting.size() == 1 ? "" : "es");
  for (const auto& w : report.waiting) {
    text += fmt::format("  {} waits since {} ps on {} \"{}\"", w.process, w.since.ps(), w.kind, w.on);
    if (!w.held_by.empty()) text += fmt::format(", held by {}", fmt::join(w.held_by, ", "));
    text += '\n';
  }
  for (const auto& cycle : report.cycles) {
    text += fmt::format("wait cycle: {} -> {}\n", fmt::join(cycle, " -> "), cycle.front());
  }
  return text;
}

}  // namespace mlosim::event
