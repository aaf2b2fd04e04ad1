// A pool of equal units (slots, buffers, credits) that are granted and given back. Grants are strictly in the order of
// asking: a small request never overtakes a large one, so nobody starves.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/event/simulator.hpp"

namespace mlosim::event {

// The right to `units` of a pool, to be handed to Pool::release exactly once, by whoever has it then.
struct [[nodiscard]] Grant {
  std::uint64_t number = 0;
  std::int64_t units = 0;
};

class Pool final : public Waitable {
 public:
  Pool(Simulator& sim, std::string name, std::int64_t units);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  std::string_view kind() const override { return "pool"; }
  std::string_view name() const override { return name_; }
  // Processes to whom units are granted, in the order of the grants.
  std::vector<const ProcessRecord*> holders() const override;

  std::int64_t free_units() const { return free_; }

  class Acquire : public Waiter {
   public:
    Acquire(Pool& pool, std::int64_t units) : pool_(pool) { grant_.units = units; }
    bool await_ready() const noexcept { return false; }
    // Does not suspend when the units are granted at once.
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      begin_wait(coroutine, pool_);
      return !pool_.ask(*this);
    }
    Grant await_resume() {
      end_wait();
      return grant_;
    }

   private:
    friend class Pool;
    Pool& pool_;
    Grant grant_;
  };
  // `const Grant grant = co_await pool.acquire(units)`. Requires: 0 < units <= the pool's.
  Acquire acquire(std::int64_t units = 1);

  void release(Grant grant);

 private:
  struct Holding {
    std::uint64_t grant;
    std::shared_ptr<const ProcessRecord> process;
  };

  bool ask(Acquire& request);
  void grant(Acquire& request);

  Simulator& sim_;
  std::string name_;
  std::int64_t units_;
  std::int64_t free_;
  std::uint64_t granted_ = 0;
  std::deque<Acquire*> waiting_;
  std::vector<Holding> holdings_;  // ordered by grant
};

}  // namespace mlosim::event
