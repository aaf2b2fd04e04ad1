// Multi-objective search by pagmo's NSGA-II, which lives in a module of its own (tools/explore): loaded for studies
// that ask for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace mlosim::explore {

struct Evolution {
  std::vector<double> low, high;  // of each variable; whole ones last
  std::size_t whole = 0;          // how many of them are whole numbers
  std::size_t objectives = 1;
  std::uint64_t population = 0, generations = 0;
  std::uint32_t seed = 1;
};

// Evaluates one generation, individual by individual; answers its objectives in the same order, all to be minimised.
using EvaluateGeneration = std::function<std::vector<double>(const std::vector<double>& individuals)>;

// Calls `evaluate` once for the first population and once a generation. What it throws ends the search. Throws
// spec::InputError where the module is not there.
void evolve(const Evolution& evolution, const EvaluateGeneration& evaluate);

}  // namespace mlosim::explore
