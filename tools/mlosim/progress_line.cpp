#include "tools/mlosim/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <utility>

namespace mlosim::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenLines(200);
constexpr std::chrono::seconds kShortWork(1);
constexpr std::size_t kBarWidth = 20;

}  // namespace

ProgressLine::ProgressLine(std::string what) : what_(std::move(what)) {}

std::function<void(std::size_t, std::size_t)> ProgressLine::listener() {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [this](std::size_t done, std::size_t all) { show(done, all); };
}

void ProgressLine::show(std::size_t done, std::size_t all) {
  if (!first_) first_ = done;  // what was done before, in another run, says nothing of the rate
  const Clock::time_point now = Clock::now();
  if (now - start_ < kShortWork || now - shown_ < kBetweenLines || done == *first_ || all == 0) return;
  shown_ = now;
  is_on_screen_ = true;
  const double passed = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done - *first_) / passed;
  const double left = static_cast<double>(all - done) / rate;
  const std::size_t filled = kBarWidth * done / all;
  std::cerr << fmt::format("\r\x1b[K[{}{}] {} of {} {}, {:.4g}/s, about {:.0f} s left", std::string(filled, '#'),
                           std::string(kBarWidth - filled, '.'), done, all, what_, rate, left)
            << std::flush;
}

void ProgressLine::clear() {
  if (is_on_screen_) std::cerr << "\r\x1b[K" << std::flush;
  is_on_screen_ = false;
}

}  // namespace mlosim::cli
