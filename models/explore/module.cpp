// Modules that hold what few runs need and all would wait for: MPI and pagmo. They lie where the program's RUNPATH
// says.

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>

#include "models/explore/evolution.hpp"
#include "models/explore/wire.hpp"
#include "sim/spec/diagnostics.hpp"

namespace mlosim::explore {
namespace {

template <class Function>
Function load(const char* module, const char* symbol, const std::string& what) {
  // Open MPI's own plug-ins look for its symbols among the global ones.
  void* handle = dlopen(module, RTLD_NOW | RTLD_GLOBAL);
  void* function = handle ? dlsym(handle, symbol) : nullptr;
  if (!function) {
    const char* why = dlerror();
    throw spec::InputError(fmt::format("{} cannot be loaded: {}", what, why ? why : module));
  }
  return reinterpret_cast<Function>(function);
}

bool says_more_than_one(const char* variable) {
  const char* text = std::getenv(variable);
  return text && std::strtol(text, nullptr, 10) > 1;
}

}  // namespace

bool is_under_mpi() {
  // Open MPI, MPICH and its kin; PMIx under srun.
  if (says_more_than_one("OMPI_COMM_WORLD_SIZE") || says_more_than_one("PMI_SIZE")) return true;
  return std::getenv("PMIX_RANK") && says_more_than_one("SLURM_STEP_NUM_TASKS");
}

std::unique_ptr<Wire> open_wire() {
  return std::unique_ptr<Wire>(load<Wire* (*)()>("libmlosim_mpi.so", "mlosim_open_wire", "MPI")());
}

void evolve(const Evolution& evolution, const EvaluateGeneration& evaluate) {
  load<void (*)(const Evolution&, const EvaluateGeneration&)>("libmlosim_nsga2.so", "mlosim_evolve",
                                                              "the search 'nsga2'")(evolution, evaluate);
}

}  // namespace mlosim::explore
