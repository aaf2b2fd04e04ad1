// A process: a Task<> that runs in a Simulator on its own. Process is a handle to it that may be copied, kept after the
// end, and awaited (join).
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/event/task.hpp"
#include "sim/event/waitable.hpp"

namespace mlosim::event {

// A service waits for work for ever: that it still does so at the end of a run is no stall.
enum class Lifetime : std::uint8_t { finite, service };

// What the simulator knows about one process. Made by Simulator::spawn.
class ProcessRecord final : public Waitable, public std::enable_shared_from_this<ProcessRecord> {
 public:
  ProcessRecord(Simulator& sim, std::string name, Lifetime lifetime, Task<>::Handle coroutine);
  ProcessRecord(const ProcessRecord&) = delete;
  ProcessRecord& operator=(const ProcessRecord&) = delete;

  std::string_view kind() const override { return "process"; }
  std::string_view name() const override { return name_; }
  std::vector<const ProcessRecord*> holders() const override { return {this}; }

  Simulator& simulator() const { return sim_; }
  Lifetime lifetime() const { return lifetime_; }
  bool is_done() const { return is_done_; }
  const Waitable* waits_on() const { return waits_on_; }
  Time waits_since() const { return waits_since_; }

 private:
  friend class Simulator;
  friend class Waiter;
  friend class Process;
  friend void detail::finish_process(ProcessRecord&, std::exception_ptr) noexcept;

  Simulator& sim_;
  std::string name_;
  Lifetime lifetime_;
  Task<>::Handle coroutine_;
  Resumption start_;
  std::exception_ptr error_;
  const Waitable* waits_on_ = nullptr;
  Time waits_since_;
  bool is_done_ = false;
  std::vector<Event*> joiners_;
  std::size_t place_ = 0;  // in the simulator's list of live processes
};

class Process {
 public:
  explicit Process(std::shared_ptr<ProcessRecord> record) : record_(std::move(record)) {}

  bool is_done() const { return record_->is_done(); }
  std::string_view name() const { return record_->name(); }
  const ProcessRecord& record() const { return *record_; }

  // `co_await process` goes on when the process is done. The exception of a failed process comes out of run, not here.
  class Joiner : public Waiter {
   public:
    explicit Joiner(std::shared_ptr<ProcessRecord> process) : joined_(std::move(process)) {}
    bool await_ready() const { return joined_->is_done(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      begin_wait(coroutine, *joined_);
      joined_->joiners_.push_back(this);
    }
    void await_resume() { end_wait(); }

   private:
    std::shared_ptr<ProcessRecord> joined_;
  };
  Joiner operator co_await() const { return Joiner(record_); }

 private:
  std::shared_ptr<ProcessRecord> record_;
};

}  // namespace mlosim::event
