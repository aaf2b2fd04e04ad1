// Shares the chunks of a study out among the threads of this process and the processes at the other ends of a wire,
// each as much as it gets done. A process that is lost costs time alone: when nothing is left to hand out, whoever is
// idle gets the chunks that have not come back, and the first answer counts.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/explore/crew.hpp"
#include "models/explore/wire.hpp"

namespace mlosim::explore {

struct Job {
  std::uint64_t number = 0;
  Chunk chunk;
};

class Foreman {
 public:
  // `supply` answers the next chunk, or nothing when there is none for now; `receive` gets each result once.
  using Supply = std::function<std::optional<Job>()>;
  using Receive = std::function<void(const Finished&)>;

  // `wire` may be null; both outlive the foreman.
  Foreman(Crew& crew, Wire* wire);

  // Until supply has no more and everything handed out has come back, or `stops` says so.
  void run(const Supply& supply, const Receive& receive, const std::function<bool()>& stops);

 private:
  struct Outstanding {
    Chunk chunk;
    std::set<int> holders;  // ranks
  };

  bool hand_out(const Supply& supply, int rank);
  void give(int rank, std::uint64_t number, Outstanding& job);
  bool take_letters(const Receive& receive);
  void finish(const Finished& finished, const Receive& receive);
  std::size_t room(int rank) const;
  void keep_alive();

  Crew& crew_;
  Wire* wire_;
  std::map<std::uint64_t, Outstanding> outstanding_;
  std::map<int, std::size_t> jobs_, load_;  // of each rank that said hello: its threads, and what it has to do
  std::chrono::steady_clock::time_point last_sign_ = std::chrono::steady_clock::now();
  bool is_dry_ = false;  // supply had nothing the last time
};

// What the other processes do: evaluate what the foreman sends, until he sends them home or is not heard of any more.
// True where everybody is still there, so that the wire can be closed.
bool serve(Crew& crew, Wire& wire);

// The same for a process that has nothing to work with.
bool wait_for_dismissal(Wire& wire);

// Sends the other processes home. True where all of them went: then the wire can be closed.
bool dismiss(Wire& wire);

}  // namespace mlosim::explore
