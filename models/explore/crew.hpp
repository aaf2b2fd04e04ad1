// The threads of one process that evaluate chunks (TBB). The thread that hands them out does no evaluating: it stores,
// shows progress, and listens to other processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "models/explore/chunk.hpp"

namespace mlosim::explore {

struct Finished {
  std::uint64_t chunk = 0;
  std::string result;  // encoded
};

class Crew {
 public:
  // `blueprint` and `space` outlive the crew.
  Crew(const Blueprint& blueprint, const Space& space, int jobs);
  // Waits for the chunks that are being evaluated.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int jobs() const;
  // Chunks that were submitted and have not come back.
  std::size_t in_flight() const;
  void submit(std::uint64_t number, Chunk chunk);
  // A chunk that is done, or nothing after `patience`. Throws what its evaluation threw.
  std::optional<Finished> next(std::chrono::microseconds patience);

 private:
  class Threads;
  std::unique_ptr<Threads> threads_;
};

}  // namespace mlosim::explore
