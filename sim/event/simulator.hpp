// The simulator: current time, pending events, live processes. One object a run; no globals, one thread.
//
//   Simulator sim;
//   sim.spawn("dma", [](Simulator& s, FifoResource& link) -> Task<> {
//     co_await s.delay(nanoseconds(500));
//     co_await link.transfer(Bytes(4096));
//   }(sim, link));
//   const StallReport stall = sim.run();
//
// Bulk entities are records derived from Event, scheduled with `schedule`; readable behaviour is a Task. Events,
// signals and resources must outlive the last run; the simulator owns its processes and destroys those still alive.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/event/event_queue.hpp"
#include "sim/event/process.hpp"
#include "sim/event/stall_report.hpp"
#include "sim/event/task.hpp"

namespace mlosim::event {

class Simulator {
 public:
  Simulator() = default;
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;
  ~Simulator();

  Time now() const { return queue_.now(); }

  // The order of events is documented in event_queue.hpp. A time before now is our own mistake.
  void schedule_at(Event& event, Time at, Phase phase = Phase::complete) { queue_.push(at, phase, event); }
  void schedule(Event& event, Span delay, Phase phase = Phase::complete) { queue_.push(now() + delay, phase, event); }

  // Starts the task at the current time, as an event: not inside this call.
  Process spawn(std::string name, Task<> task, Lifetime lifetime = Lifetime::finite);

  class Delay;
  // `co_await sim.delay(span)`. With a zero span and Phase::arbitrate: after all that completes now.
  Delay delay(Span span, Phase phase = Phase::complete);

  // Fires events until none is left. The report is empty unless processes wait for what can no longer come. An
  // exception that leaves an event or a process comes out at once; what is pending then stays pending.
  [[nodiscard]] StallReport run();

  // Fires all events up to and including `end`, then sets the time to `end`.
  void run_until(Time end);

  // The live processes that wait on something other than time, services left out.
  StallReport waiting() const;

  // Events fired so far.
  std::uint64_t event_count() const { return event_count_; }

  // A hash of the (time, phase) of every event fired, in order. Addresses do not enter: the same model gives the same
  // value in every run, and a change of timing or order almost surely another.
  std::uint64_t order_checksum() const { return order_checksum_; }

 private:
  friend class Timer;
  friend class Resumption;
  friend void detail::finish_process(ProcessRecord&, std::exception_ptr) noexcept;

  void fire_until(Time end);
  void bury_finished();

  EventQueue queue_;
  std::uint64_t event_count_ = 0;
  std::uint64_t order_checksum_ = 0;
  ProcessRecord* finished_ = nullptr;  // by the event that fires now
  bool is_running_ = false;
  std::vector<std::shared_ptr<ProcessRecord>> processes_;  // alive, in the order of spawning; null where one has ended
  std::size_t ended_ = 0;                                  // how many of those are null
};

class Simulator::Delay : public Resumption {
 public:
  Delay(Simulator& sim, Span span, Phase phase) : sim_(sim), span_(span), phase_(phase) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    resumes(coroutine);
    sim_.schedule(*this, span_, phase_);
  }
  void await_resume() const noexcept {}

 private:
  Simulator& sim_;
  Span span_;
  Phase phase_;
};

inline Simulator::Delay Simulator::delay(Span span, Phase phase) { return Delay(*this, span, phase); }

inline void Resumption::resume(Simulator& sim, Event& event) {
  static_cast<Resumption&>(event).coroutine_.resume();
  if (sim.finished_ != nullptr) sim.bury_finished();
}

}  // namespace mlosim::event
