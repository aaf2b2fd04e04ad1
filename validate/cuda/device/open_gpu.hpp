// The GPU that the command line names, opened, asked what it is, and told as facts to plan by and to keep in the
// sidecar. Needs the CUDA runtime's header.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "validate/cuda/device/bench.hpp"
#include "validate/cuda/measure/arguments.hpp"
#include "validate/cuda/measure/nvml.hpp"
#include "validate/cuda/measure/sidecar.hpp"

namespace mlosim::measure {

// Owns the stream and NVML that `gpu` points at.
class OpenGpu {
 public:
  // Throws UsageError where there is no GPU or no driver, where the GPU may not be used, is not known, or has no
  // kernels in this build.
  explicit OpenGpu(const Arguments& arguments);
  ~OpenGpu();
  OpenGpu(const OpenGpu&) = delete;
  OpenGpu& operator=(const OpenGpu&) = delete;

  const Gpu& gpu() const { return gpu_; }
  // "mlosim-measure 0.1.0 cuda 13.0 driver 580.65.06"
  std::string software() const;
  // Of the sidecar: the GPU, its driver, clocks, power cap, ECC, and this build.
  std::vector<Fact> facts() const;

 private:
  Gpu gpu_;
  std::unique_ptr<Nvml> nvml_;
};

// Whether the driver tells of any GPU; never throws.
bool has_gpu();

}  // namespace mlosim::measure
