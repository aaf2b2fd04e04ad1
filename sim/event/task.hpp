// Task<T>: a coroutine of the simulation, started when it is awaited and finished before its caller goes on.
//
// A Task<> becomes a process of its own when it is handed to Simulator::spawn. An exception that leaves a task comes
// out of its co_await; out of a process, it comes out of Simulator::run. A coroutine keeps references to its arguments,
// and a lambda coroutine to its captures: what it refers to must outlive it, so pass values, and captureless lambdas.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "sim/event/waitable.hpp"

namespace mlosim::event {

template <class T = void>
class Task;

namespace detail {

// Tells the simulator that the outermost task of a process is over.
void finish_process(ProcessRecord& process, std::exception_ptr error) noexcept;

struct PromiseBase {
  ProcessRecord* process = nullptr;      // the process in which the task runs
  std::coroutine_handle<> continuation;  // the caller, once it waits
  std::exception_ptr error;
  bool is_outermost = false;

  struct Finish {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> coroutine) const noexcept {
      PromiseBase& promise = coroutine.promise();
      if (promise.is_outermost) finish_process(*promise.process, std::move(promise.error));
      return promise.continuation ? promise.continuation : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Finish final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object();
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle coroutine) : coroutine_(coroutine) {}
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(Handle child) : child_(child) {}
    bool await_ready() const noexcept { return false; }
    // Runs the child here and now; suspends the caller only if the child has to wait. So a loop over children that
    // never wait needs no stack.
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller) {
      child_.promise().process = caller.promise().process;
      child_.resume();
      if (child_.done()) return false;
      child_.promise().continuation = caller;
      return true;
    }
    T await_resume() {
      if (child_.promise().error) std::rethrow_exception(child_.promise().error);
      return child_.promise().take();
    }

   private:
    Handle child_;
  };
  Awaiter operator co_await() && { return Awaiter(coroutine_); }

  // Gives the coroutine away; the caller destroys it.
  Handle release() { return std::exchange(coroutine_, nullptr); }

 private:
  Handle coroutine_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace mlosim::event
