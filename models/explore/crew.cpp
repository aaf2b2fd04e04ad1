#include "models/explore/crew.hpp"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

namespace mlosim::explore {

class Crew::Threads {
 public:
  Threads(const Blueprint& blueprint, const Space& space, int jobs)
      : jobs_(jobs),
        limit_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(jobs) + 1),
        arena_(jobs, 0),  // none reserved for the thread that hands out
        settings_(*blueprint.library),
        workers_([this, &blueprint, &space] { return std::make_unique<ChunkWorker>(blueprint, space, settings_); }) {}

  ~Threads() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }

  void submit(std::uint64_t number, Chunk chunk) {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
      ++in_flight_;
    }
    arena_.enqueue([this, number, chunk = std::move(chunk)] { work(number, chunk); });
  }

  std::optional<Finished> next(std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return !done_.empty() || failure_; });
    if (failure_) std::rethrow_exception(failure_);
    if (done_.empty()) return std::nullopt;
    Finished finished = std::move(done_.front());
    done_.pop_front();
    --in_flight_;
    return finished;
  }

  std::size_t in_flight() {
    const std::lock_guard lock(mutex_);
    return in_flight_;
  }

  int jobs_;

 private:
  void work(std::uint64_t number, const Chunk& chunk) {
    Finished finished{.chunk = number, .result = {}};
    std::exception_ptr failure;
    try {
      finished.result = encode_result(workers_.local()->evaluate(chunk));
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (failure && !failure_) failure_ = failure;
    if (!failure) done_.push_back(std::move(finished));
    --running_;
    changed_.notify_all();
  }

  tbb::global_control limit_;
  tbb::task_arena arena_;
  SharedSettings settings_;
  tbb::enumerable_thread_specific<std::unique_ptr<ChunkWorker>> workers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Finished> done_;
  std::exception_ptr failure_;
  std::size_t running_ = 0, in_flight_ = 0;
};

Crew::Crew(const Blueprint& blueprint, const Space& space, int jobs)
    : threads_(std::make_unique<Threads>(blueprint, space, jobs)) {}
Crew::~Crew() = default;

int Crew::jobs() const { return threads_->jobs_; }
std::size_t Crew::in_flight() const { return threads_->in_flight(); }
void Crew::submit(std::uint64_t number, Chunk chunk) { threads_->submit(number, std::move(chunk)); }
std::optional<Finished> Crew::next(std::chrono::microseconds patience) { return threads_->next(patience); }

}  // namespace mlosim::explore
