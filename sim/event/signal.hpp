// Conditions: a Signal wakes those who wait when it is raised; a Gate lets everybody pass once it is open.
//
// Both take coroutines (`co_await signal`) and records (`signal.wait(event)`). Those woken fire at the current time, as
// events of Phase::complete, in the order in which they began to wait.
#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/event/simulator.hpp"

namespace mlosim::event {

// The list of those who wait, and what the stall report says of it.
class Condition : public Waitable {
 public:
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  std::string_view name() const override { return name_; }
  std::vector<const ProcessRecord*> holders() const override {
    if (!owner_) return {};
    return {&owner_->record()};
  }

  // Names the process that is to end the wait, for the stall report.
  void expect_from(Process owner) { owner_ = std::move(owner); }

  std::size_t waiting_count() const { return waiting_.size(); }

 protected:
  Condition(Simulator& sim, std::string name) : sim_(sim), name_(std::move(name)) {}
  ~Condition() = default;

  void add(Event& event) { waiting_.push_back(&event); }
  void fire(Event& event) { sim_.schedule(event, Span()); }
  void fire_all() {
    for (Event* event : waiting_) fire(*event);
    waiting_.clear();
  }

 private:
  Simulator& sim_;
  std::string name_;
  std::vector<Event*> waiting_;
  std::optional<Process> owner_;
};

class Signal final : public Condition {
 public:
  Signal(Simulator& sim, std::string name) : Condition(sim, std::move(name)) {}

  std::string_view kind() const override { return "signal"; }

  void wait(Event& event) { add(event); }
  // Wakes those who wait now; who comes later waits for the next.
  void raise() { fire_all(); }

  class Wait : public Waiter {
   public:
    explicit Wait(Signal& signal) : signal_(signal) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      begin_wait(coroutine, signal_);
      signal_.wait(*this);
    }
    void await_resume() { end_wait(); }

   private:
    Signal& signal_;
  };
  Wait operator co_await() { return Wait(*this); }
};

class Gate final : public Condition {
 public:
  Gate(Simulator& sim, std::string name) : Condition(sim, std::move(name)) {}

  std::string_view kind() const override { return "gate"; }
  bool is_open() const { return is_open_; }

  void wait(Event& event) {
    if (is_open_) {
      fire(event);
    } else {
      add(event);
    }
  }
  // For ever.
  void open() {
    is_open_ = true;
    fire_all();
  }

  class Wait : public Waiter {
   public:
    explicit Wait(Gate& gate) : gate_(gate) {}
    bool await_ready() const noexcept { return gate_.is_open(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      begin_wait(coroutine, gate_);
      gate_.wait(*this);
    }
    void await_resume() { end_wait(); }

   private:
    Gate& gate_;
  };
  Wait operator co_await() { return Wait(*this); }

 private:
  bool is_open_ = false;
};

}  // namespace mlosim::event
