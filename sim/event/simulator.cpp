#include "sim/event/simulator.hpp"

#include <algorithm>
#include <utility>

namespace mlosim::event {
namespace {

// One step of a multiplicative hash (Knuth's 2^64 / golden ratio), rotated so that high bits reach low ones.
constexpr std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  return (hash << 32) | (hash >> 32);
}

}  // namespace

void Timer::arm(Simulator& sim, Time at, Phase phase) {
  due_ = at;
  sim.queue_.push_timer(at, phase, *this);
}

void Timer::fire_if_due(Simulator& sim, Event& event) {
  Timer& timer = static_cast<Timer&>(event);
  if (timer.due_ != sim.now()) return;
  timer.due_.reset();
  timer.on_time_(sim, timer);
}

void Waiter::set_wait(const Waitable* on) {
  process_->waits_on_ = on;
  process_->waits_since_ = process_->simulator().now();
}

ProcessRecord::ProcessRecord(Simulator& sim, std::string name, Lifetime lifetime, Task<>::Handle coroutine)
    : sim_(sim), name_(std::move(name)), lifetime_(lifetime), coroutine_(coroutine), start_(coroutine) {
  coroutine.promise().process = this;
  coroutine.promise().is_outermost = true;
}

void detail::finish_process(ProcessRecord& process, std::exception_ptr error) noexcept {
  process.error_ = std::move(error);
  process.simulator().finished_ = &process;
}

Simulator::~Simulator() {
  for (const auto& process : processes_) {
    if (process != nullptr) process->coroutine_.destroy();
  }
}

Process Simulator::spawn(std::string name, Task<> task, Lifetime lifetime) {
  auto record = std::make_shared<ProcessRecord>(*this, std::move(name), lifetime, task.release());
  record->place_ = processes_.size();
  processes_.push_back(record);
  schedule(record->start_, Span());
  return Process(record);
}

void Simulator::bury_finished() {
  const std::shared_ptr<ProcessRecord> process = std::move(processes_[finished_->place_]);
  finished_ = nullptr;
  process->coroutine_.destroy();
  process->is_done_ = true;
  for (Event* joiner : std::exchange(process->joiners_, {})) schedule(*joiner, Span());
  if (2 * ++ended_ > processes_.size()) {
    processes_.erase(std::remove(processes_.begin(), processes_.end(), nullptr), processes_.end());
    for (std::size_t i = 0; i < processes_.size(); ++i) processes_[i]->place_ = i;
    ended_ = 0;
  }
  if (process->error_) std::rethrow_exception(process->error_);
}

void Simulator::fire_until(Time end) {
  MLOSIM_CHECK(!is_running_);
  struct Running {
    bool& flag;
    explicit Running(bool& is_running) : flag(is_running) { flag = true; }
    ~Running() { flag = false; }
  } const running(is_running_);
  for (auto next = queue_.pop(end); next.event != nullptr; next = queue_.pop(end)) {
    ++event_count_;
    const std::uint64_t time = static_cast<std::uint64_t>(now().ps());
    order_checksum_ = mixed(order_checksum_, time * 4 + static_cast<std::uint64_t>(next.phase));
    next.event->fire(*this);
  }
}

StallReport Simulator::run() {
  fire_until(kEndOfTime);
  return waiting();
}

void Simulator::run_until(Time end) {
  MLOSIM_CHECK(end >= now());
  fire_until(end);
  queue_.skip_to(end);
}

StallReport Simulator::waiting() const {
  std::vector<const ProcessRecord*> waiting;
  for (const auto& process : processes_) {
    if (process != nullptr && process->lifetime() == Lifetime::finite && process->waits_on() != nullptr) {
      waiting.push_back(process.get());
    }
  }
  return build_stall_report(now(), waiting);
}

}  // namespace mlosim::event
