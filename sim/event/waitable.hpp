// What a process can wait on, and the suspended coroutine that waits. The names and holders given here are what the
// stall report is made of. Used by the awaitable things of this folder; models use those.
#pragma once

#include <coroutine>
#include <string_view>
#include <vector>

#include "sim/event/event.hpp"

namespace mlosim::event {

class ProcessRecord;

class Waitable {
 public:
  virtual std::string_view kind() const = 0;  // "signal", "pool", "process", …
  virtual std::string_view name() const = 0;
  // The processes that could end the wait, in a fixed order; empty when that is not known.
  virtual std::vector<const ProcessRecord*> holders() const { return {}; }

 protected:
  Waitable() = default;
  Waitable(const Waitable&) = default;
  Waitable& operator=(const Waitable&) = default;
  ~Waitable() = default;
};

// An event that resumes a coroutine. It lives in the frame of that coroutine, inside the awaiter.
class Resumption : public Event {
 public:
  explicit Resumption(std::coroutine_handle<> coroutine = nullptr) : Event(&resume), coroutine_(coroutine) {}
  void resumes(std::coroutine_handle<> coroutine) { coroutine_ = coroutine; }

 private:
  static void resume(Simulator& sim, Event& event);

  std::coroutine_handle<> coroutine_;
};

// A process that waits on something; the base of awaiters that appear in the stall report.
class Waiter : public Resumption {
 public:
  ProcessRecord& process() const { return *process_; }

 protected:
  template <class Promise>
  void begin_wait(std::coroutine_handle<Promise> coroutine, const Waitable& on) {
    resumes(coroutine);
    process_ = coroutine.promise().process;
    set_wait(&on);
  }
  // Does nothing when the wait never began.
  void end_wait() {
    if (process_ != nullptr) set_wait(nullptr);
  }

 private:
  void set_wait(const Waitable* on);

  ProcessRecord* process_ = nullptr;
};

}  // namespace mlosim::event
