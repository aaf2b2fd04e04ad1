#include "sim/machine/play.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "sim/event/simulator.hpp"
#include "sim/machine/shared_chip.hpp"
#include "sim/machine/task_time.hpp"
#include "sim/spec/diagnostics.hpp"
#include "sim/units/check.hpp"
#include "sim/units/format.hpp"

namespace mlosim::machine {
namespace {

class Player;

constexpr Seconds kLongestRun(4e5);  // some twenty of them still count in picoseconds

// A task that is under way; fires at its end.
struct TaskRecord : RunningTask {
  explicit TaskRecord(Player& player_) : RunningTask(&finish), player(player_) {}
  static void finish(event::Simulator& sim, event::Event& event);

  Player& player;
  std::uint32_t index = 0;
  std::uint32_t waits_for = 0;  // unfinished predecessors, and the host's issue
  event::Span duration, overhead_time;
  event::Time start;
  const TaskPrice* price = nullptr;
};

// The host; fires each time it has submitted a task.
struct HostRecord : event::Event {
  explicit HostRecord(Player& player_) : Event(&submit), player(player_) {}
  static void submit(event::Simulator& sim, event::Event& event);

  Player& player;
  std::uint32_t next = 0;
};

class Player {
 public:
  Player(const Program& program, PriceBook& prices, const spec::LaunchSpec& launch, const event::Facts<TaskFact>& facts)
      : program_(program), launch_(launch), facts_(facts), host_(*this), chip_(sim_) {
    eager_ = program.launch == spec::LaunchPath::eager;
    price_tasks(prices);
    refuse_endless_run();
    set_durations();
    link_tasks();
    sim_.schedule(host_,
                  event::to_span_up(program.lead_time) + (eager_ && !tasks_.empty() ? submit_time(0) : event::Span()));
  }

  PlayResult run() {
    const event::StallReport stall = sim_.run();
    MLOSIM_CHECK(stall.empty() && finished_ == tasks_.size());
    return {.makespan = end_ - event::Time(), .events = sim_.event_count(), .checksum = sim_.order_checksum()};
  }

  void finish(TaskRecord& task) {
    if (!chip_.ends(task)) return;
    end_ = std::max(end_, sim_.now());
    ++finished_;
    facts_.emit([&] {
      return TaskFact{.task = task.index,
                      .start = task.start,
                      .end = sim_.now(),
                      .overhead = task.overhead_time,
                      .price = task.price};
    });
    for (std::uint32_t i = first_successor_[task.index]; i < first_successor_[task.index + 1]; ++i)
      release(successors_[i]);
  }

  // Eager: one task, and the next when its submission is over. Otherwise the whole program at once.
  void submit() {
    if (tasks_.empty()) return;
    if (!eager_) {
      for (std::uint32_t i = 0; i < tasks_.size(); ++i) release(i);
      return;
    }
    release(host_.next++);
    if (host_.next < tasks_.size()) sim_.schedule(host_, submit_time(host_.next));
  }

 private:
  event::Span submit_time(std::uint32_t task) const {
    return event::to_span_up(launch_.submit * tasks_[task].price->kernels);
  }

  void price_tasks(PriceBook& prices) {
    std::vector<const TaskPrice*> by_op;
    by_op.reserve(program_.ops.size());
    for (const ProgramOp& op : program_.ops) by_op.push_back(&prices.price(op.op));
    tasks_.reserve(program_.tasks.size());
    for (std::uint32_t i = 0; i < program_.tasks.size(); ++i) {
      TaskRecord& record = tasks_.emplace_back(*this);
      record.index = i;
      record.price = by_op[program_.tasks[i].op];
    }
  }

  TaskTime time_of(const TaskRecord& task) const {
    return task_time(program_, program_.tasks[task.index], *task.price, launch_);
  }

  // Sizes or rates that nobody can mean are wrong input, and are found out here.
  void refuse_endless_run() const {
    Seconds longest = program_.lead_time;
    for (const TaskRecord& task : tasks_) {
      const Seconds time = time_of(task).time + launch_.submit * task.price->kernels;
      if (time <= kLongestRun) {
        longest += time;
        continue;
      }
      throw spec::InputError(fmt::format("'{}' would take {}, which is beyond what is simulated",
                                         program_.ops[program_.tasks[task.index].op].name, format_short(time)),
                             fmt::format("a step may take {}; are its sizes and the machine's rates what you mean?",
                                         format_short(kLongestRun)));
    }
    if (longest > kLongestRun) {
      throw spec::InputError(
          fmt::format("the step would take {}, which is beyond what is simulated", format_short(longest)),
          fmt::format("it may take {}; are its sizes and the machine's rates what you mean?",
                      format_short(kLongestRun)));
    }
  }

  void set_durations() {
    for (TaskRecord& task : tasks_) {
      const TaskTime time = time_of(task);
      task.duration = event::to_span_up(time.time);
      task.overhead_time = std::min(task.duration, event::to_span_up(time.overhead));
    }
  }

  // Counts predecessors and lists successors, the order of a stream included.
  void link_tasks() {
    std::vector<std::vector<std::uint32_t>> before(tasks_.size());
    std::vector<std::int64_t> last(program_.streams.size(), -1);
    first_successor_.assign(tasks_.size() + 1, 0);
    for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
      const Task& task = program_.tasks[i];
      before[i] = task.after;
      if (last[task.stream] >= 0) before[i].push_back(static_cast<std::uint32_t>(last[task.stream]));
      last[task.stream] = i;
      std::sort(before[i].begin(), before[i].end());
      before[i].erase(std::unique(before[i].begin(), before[i].end()), before[i].end());
      for (const std::uint32_t b : before[i]) {
        MLOSIM_CHECK(b < i);
        ++first_successor_[b + 1];
      }
      tasks_[i].waits_for = static_cast<std::uint32_t>(before[i].size()) + 1;
    }
    for (std::size_t i = 1; i < first_successor_.size(); ++i) first_successor_[i] += first_successor_[i - 1];
    successors_.resize(first_successor_.back());
    std::vector<std::uint32_t> at(first_successor_.begin(), first_successor_.end() - 1);
    for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
      for (const std::uint32_t b : before[i]) successors_[at[b]++] = i;
    }
  }

  void release(std::uint32_t index) {
    TaskRecord& task = tasks_[index];
    if (--task.waits_for > 0) return;
    task.start = sim_.now();
    chip_.start(task, task.duration, task.overhead_time, task.price->use);
  }

  const Program& program_;
  const spec::LaunchSpec& launch_;
  const event::Facts<TaskFact>& facts_;
  event::Simulator sim_;
  HostRecord host_;
  SharedChip chip_;
  bool eager_ = false;
  std::vector<TaskRecord> tasks_;
  std::vector<std::uint32_t> first_successor_;  // of task i: successors_[first_successor_[i] … first_successor_[i + 1])
  std::vector<std::uint32_t> successors_;
  std::size_t finished_ = 0;
  event::Time end_;
};

void TaskRecord::finish(event::Simulator&, event::Event& event) {
  auto& task = static_cast<TaskRecord&>(event);
  task.player.finish(task);
}

void HostRecord::submit(event::Simulator&, event::Event& event) { static_cast<HostRecord&>(event).player.submit(); }

}  // namespace

PlayResult play(const Program& program, PriceBook& prices, const spec::LaunchSpec& launch,
                const event::Facts<TaskFact>& facts) {
  return Player(program, prices, launch, facts).run();
}

}  // namespace mlosim::machine
