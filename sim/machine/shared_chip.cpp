#include "sim/machine/shared_chip.hpp"

#include <algorithm>

#include "sim/machine/fair_speeds.hpp"

namespace mlosim::machine {
namespace {

using event::fluid::Wide;

Wide parts_of(event::Span span) { return event::fluid::parts_of(event::Time() + span); }

// How much of the main part is done in `time`, and how long `main` takes.
Wide done_in(Wide time, double speed) {
  return speed < 1 ? event::fluid::rounded(static_cast<double>(time) * speed) : time;
}
Wide time_for(Wide main, double speed) {
  return speed < 1 ? event::fluid::rounded(static_cast<double>(main) / speed) : main;
}

bool is_over(const RunningTask& task) {
  constexpr Wide kNoise = Wide(1) << (event::fluid::kPartBits - 10);  // as fluid::round_up
  return task.overhead == 0 && task.main <= kNoise;
}

}  // namespace

void SharedChip::start(RunningTask& task, event::Span whole, event::Span overhead, const chip::ChipUse& use) {
  move_to_now();
  task.use = use;
  task.overhead = parts_of(overhead);
  task.main = parts_of(whole) - task.overhead;
  running_.push_back(&task);
  share();
}

bool SharedChip::ends(RunningTask& task) {
  move_to_now();
  const bool over = is_over(task);
  if (over) running_.erase(std::find(running_.begin(), running_.end(), &task));
  if (!running_.empty()) share();
  return over;
}

void SharedChip::move_to_now() {
  const Wide elapsed = event::fluid::parts_of(sim_.now()) - event::fluid::parts_of(moment_);
  moment_ = sim_.now();
  if (elapsed == 0) return;
  for (RunningTask* task : running_) {
    const Wide before = std::min(elapsed, task->overhead);
    task->overhead -= before;
    task->main -= std::min(task->main, done_in(elapsed - before, task->speed));
  }
}

void SharedChip::share() {
  if (running_.size() == 1) {
    RunningTask& task = *running_.front();
    task.speed = 1;
    return task.arm(sim_, event::fluid::round_up(event::fluid::parts_of(moment_) + task.overhead + task.main));
  }
  // Where all fits, even with everybody in his main part, nobody needs to be told when he comes to it.
  std::vector<chip::ChipUse> uses;
  for (const RunningTask* task : running_) uses.push_back(task->use);
  const std::vector<double> least = fair_speeds(uses);
  const bool fits = std::all_of(least.begin(), least.end(), [](double speed) { return speed >= 1; });
  if (!fits) {
    for (std::size_t i = 0; i < running_.size(); ++i) {
      if (running_[i]->overhead > 0) uses[i] = {};
    }
  }
  const std::vector<double> speeds = fits ? least : fair_speeds(uses);
  for (std::size_t i = 0; i < running_.size(); ++i) {
    RunningTask& task = *running_[i];
    task.speed = speeds[i];
    const Wide until = fits                ? task.overhead + task.main
                       : task.overhead > 0 ? task.overhead
                                           : time_for(task.main, task.speed);
    task.arm(sim_, event::fluid::round_up(event::fluid::parts_of(moment_) + until));
  }
}

}  // namespace mlosim::machine
