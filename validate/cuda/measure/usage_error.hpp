// Wrong input: what the user typed, a file that is in the way, a GPU that is not there. Exit code 2.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace mlosim::measure {

class UsageError : public std::runtime_error {
 public:
  // `hint` may be empty.
  UsageError(const std::string& sentence, std::string hint) : std::runtime_error(sentence), hint_(std::move(hint)) {}
  const std::string& hint() const { return hint_; }

 private:
  std::string hint_;
};

}  // namespace mlosim::measure
