// A line on the terminal that says how far long work has come, how fast it goes and how long it will take; nothing
// where standard error is no terminal, or where the work is over within a second.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace mlosim::cli {

class ProgressLine {
 public:
  // `what` is counted: "rows".
  explicit ProgressLine(std::string what);

  // To be told how many of how many are done; empty where there is nobody to show it to. Must not outlive this.
  std::function<void(std::size_t done, std::size_t all)> listener();

  // Takes the line away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::size_t done, std::size_t all);

  std::string what_;
  Clock::time_point start_ = Clock::now(), shown_ = start_;
  std::optional<std::size_t> first_;
  bool is_on_screen_ = false;
};

}  // namespace mlosim::cli
