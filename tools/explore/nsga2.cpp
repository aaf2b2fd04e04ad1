// NSGA-II by pagmo (Deb et al. 2002), a generation at a time. Loaded by models/explore/module.cpp.

#include <algorithm>
#include <cstdint>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/batch_evaluators/member_bfe.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <utility>

#include "models/explore/evolution.hpp"

namespace {

using mlosim::explore::EvaluateGeneration;
using mlosim::explore::Evolution;
using pagmo::vector_double;

// Points are evaluated by the generation; one by one never.
struct Designs {
  vector_double fitness(const vector_double& x) const { return batch_fitness(x); }
  // The algorithm wants two objectives: a lone one is given twice, which leaves its order as it is.
  vector_double batch_fitness(const vector_double& individuals) const {
    vector_double fitness = (*evaluate)(individuals);
    if (evolution->objectives > 1) return fitness;
    vector_double twice;
    for (const double f : fitness) twice.insert(twice.end(), {f, f});
    return twice;
  }
  std::pair<vector_double, vector_double> get_bounds() const { return {evolution->low, evolution->high}; }
  vector_double::size_type get_nix() const { return evolution->whole; }
  vector_double::size_type get_nobj() const { return std::max<vector_double::size_type>(2, evolution->objectives); }

  const Evolution* evolution = nullptr;
  const EvaluateGeneration* evaluate = nullptr;
};

}  // namespace

extern "C" void mlosim_evolve(const Evolution& evolution, const EvaluateGeneration& evaluate) {
  const pagmo::bfe by_generation{pagmo::member_bfe{}};
  pagmo::population population(pagmo::problem(Designs{&evolution, &evaluate}), by_generation, evolution.population,
                               evolution.seed);
  pagmo::nsga2 algorithm(static_cast<unsigned>(evolution.generations), 0.95, 10., 0.1, 50., evolution.seed);
  algorithm.set_bfe(by_generation);
  algorithm.evolve(population);
}
