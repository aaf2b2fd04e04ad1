// The command line of mlosim-measure as a struct. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "validate/cuda/measure/case.hpp"
#include "validate/cuda/measure/statistics.hpp"

namespace mlosim::measure {

struct AxisFilter {
  std::string axis;
  std::vector<std::string> values;
};

struct Arguments {
  bool help = false;
  bool version = false;
  bool list = false;
  bool dry_run = false;
  bool resume = false;
  std::vector<std::string> cases;   // names; empty: all
  std::vector<std::string> groups;  // names; empty: all
  std::vector<AxisFilter> axes;
  std::string output;       // empty: <chip>.csv
  std::string device_name;  // empty: as the table of chips knows the GPU
  int device = 0;
  std::uint64_t seed = 0;
  std::optional<Seconds> budget;
  Criterion criterion;
  Options options;
};

// Words after the program's name. Throws UsageError.
Arguments parse_arguments(const std::vector<std::string>& words);

// What --help prints.
std::string usage();

// "5min", "1.5 h", "30s", "500ms"; throws UsageError that names `option`.
Seconds parse_duration(const std::string& option, const std::string& text);

}  // namespace mlosim::measure
