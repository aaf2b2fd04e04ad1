// How far long work over rows has come: told to whoever shows it.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>

namespace mlosim::compare {

// Is told of rows as they are predicted: how many of how many. Calls come one at a time, from any thread.
using Progress = std::function<void(std::size_t done, std::size_t all)>;

// Counts rows as threads finish them.
class RowCount {
 public:
  // `progress` must outlive this; it may be empty.
  RowCount(const Progress& progress, std::size_t all) : progress_(progress), all_(all) {}

  void add() {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    progress_(++done_, all_);
  }

 private:
  const Progress& progress_;
  std::size_t all_;
  std::size_t done_ = 0;
  std::mutex mutex_;
};

}  // namespace mlosim::compare
