// MLOSIM_CHECK: our own mistakes stop the program here, in every build. Wrong input is not our mistake: it is a
// diagnostic (sim/spec/diagnostics.hpp).
#pragma once

#include <stdexcept>
#include <string>

namespace mlosim {

// Thrown by MLOSIM_CHECK; the command line answers it with exit code 3.
class InternalError : public std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] inline void fail_check(const char* condition, const char* file, int line) {
  throw InternalError(std::string(file) + ":" + std::to_string(line) + ": check failed: " + condition);
}

}  // namespace mlosim

#define MLOSIM_CHECK(condition)                                             \
  do {                                                                      \
    if (!(condition)) ::mlosim::fail_check(#condition, __FILE__, __LINE__); \
  } while (false)
