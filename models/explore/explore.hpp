// Runs a study: hands its chunks out, stores what comes back, and draws the result together. The result depends on the
// study alone: the same bytes with one thread or many, on one machine or many, in one go or resumed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "models/explore/blueprint.hpp"
#include "models/explore/result.hpp"
#include "models/explore/wire.hpp"

namespace mlosim::explore {

struct ExploreOptions {
  std::string version;  // of mlosim, for the store
  std::string store;    // its file
  bool resumes = false;
  int jobs = 1;          // threads of this process
  Wire* wire = nullptr;  // to other processes; this one leads
  // Told how many points are done, of how many; may be empty.
  std::function<void(std::size_t done, std::size_t all)> progress{};
  std::function<bool()> stops{};  // asked often; true ends the run with what is done kept
};

struct Explored {
  std::optional<Result> result;  // none where the run was stopped
  std::uint64_t points_done = 0, points = 0;
};

// Throws spec::InputError for what is wrong with the store.
Explored explore(const Blueprint& blueprint, const ExploreOptions& options);

// What the processes do that do not lead, until `dismiss` (foreman.hpp) sends them home. True where the wire can be
// closed.
bool assist(const Blueprint& blueprint, Wire& wire, int jobs);

}  // namespace mlosim::explore
