// What a plan may know of the GPU before anything runs on it: asked of the driver where there is one, taken from a
// table of nominal figures for a dry run without one. Rates are for guessing how long a state takes, never for a
// result. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlosim::measure {

struct DeviceFacts {
  std::string chip;       // mlosim's name of it: h100_sxm
  std::string cuda_name;  // the driver's: "NVIDIA H100 80GB HBM3"; empty in a dry run without a GPU
  int capability = 80;    // compute capability times ten: 90 for Hopper
  int sms = 0;
  std::int64_t memory_bytes = 0;  // that may be allocated now
  std::int64_t l2_bytes = 0;
  std::int64_t shared_bytes_per_sm = 0;
  int gpus = 1;                 // of this host
  double hbm_bytes_per_s = 0;   // nominal
  double bf16_flops_per_s = 0;  // nominal, dense; other dtypes by their usual ratio to it
  double fp32_flops_per_s = 0;  // nominal, vector
};

// As the driver tells it; `memory_bytes` is the whole memory.
struct DriverDevice {
  std::string cuda_name;
  std::int64_t memory_bytes = 0;
  int sms = 0;
};

// The chip's name in mlosim, or nothing for a GPU that the table does not know.
std::optional<std::string> chip_of(const DriverDevice& device);

// Nominal figures of a chip of the table by its mlosim name, or nothing.
std::optional<DeviceFacts> nominal_facts(std::string_view chip);

// Names of the table, in its order.
std::vector<std::string> known_chips();

}  // namespace mlosim::measure
