#include "validate/cuda/operation/sustained_load.hpp"

#include <stdexcept>
#include <string>

namespace mlosim::measure {

const char* to_string(SustainedLoad load) {
  switch (load) {
    case SustainedLoad::idle:
      return "idle";
    case SustainedLoad::triad:
      return "triad";
    case SustainedLoad::fma:
      return "fma";
  }
  return "";
}

SustainedLoad sustained_load_of(std::string_view name) {
  for (SustainedLoad load : {SustainedLoad::idle, SustainedLoad::triad, SustainedLoad::fma})
    if (name == to_string(load)) return load;
  throw std::logic_error("no such sustained load: " + std::string(name));
}

}  // namespace mlosim::measure
