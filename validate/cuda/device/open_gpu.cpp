#include "validate/cuda/device/open_gpu.hpp"

#include <array>
#include <cstdint>

#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/device_buffer.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

constexpr std::size_t kReservedBytes = std::size_t{768} << 20;  // of the memory: contexts, libraries' workspaces

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// A refusal of the GPU itself, before anything is measured, is the user's to mend.
void require(cudaError_t code, const char* call, const std::string& hint) {
  if (code == cudaSuccess) return;
  cudaGetLastError();
  throw UsageError(
      std::string("the GPU cannot be used: ") + call + ": " + cudaGetErrorName(code) + ": " + cudaGetErrorString(code),
      hint);
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  MEASURE_CUDA(cudaDeviceGetAttribute(&value, which, device));
  return value;
}

void select_device(int device) {
  int count = 0;
  require(cudaGetDeviceCount(&count), "cudaGetDeviceCount",
          "this needs an NVIDIA GPU and its driver; --list and --dry-run need none");
  if (device >= count)
    throw UsageError("there is no device " + std::to_string(device) + ": there are " + std::to_string(count),
                     "devices are counted from 0, as CUDA_VISIBLE_DEVICES leaves them");
  const std::string hint = "another process may hold it alone, or the driver may be older than this toolkit";
  require(cudaSetDevice(device), "cudaSetDevice", hint);
  require(cudaFree(nullptr), "cudaFree(nullptr)", hint);
  const int major = attribute(cudaDevAttrComputeCapabilityMajor, device);
  const int minor = attribute(cudaDevAttrComputeCapabilityMinor, device);
  require(probe_kernels(), "cudaFuncGetAttributes",
          "build it with -DCMAKE_CUDA_ARCHITECTURES=" + std::to_string(major) + std::to_string(minor) +
              (major == 9 ? "a" : ""));
}

DeviceFacts ask_facts(const Arguments& arguments) {
  const int device = arguments.device;
  cudaDeviceProp properties{};
  MEASURE_CUDA(cudaGetDeviceProperties(&properties, device));
  const DriverDevice driver{.cuda_name = properties.name,
                            .memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem),
                            .sms = properties.multiProcessorCount};
  const std::string chip = arguments.device_name.empty() ? chip_of(driver).value_or("") : arguments.device_name;
  if (chip.empty())
    throw UsageError(
        "the GPU '" + driver.cuda_name + "' with " + std::to_string(driver.sms) + " SMs is none that is known by name",
        "say what to call it in the rows: --device-name CHIP");
  // Kilohertz and bits: two transfers a clock. Vector units do two operations a clock in each of 128 lanes.
  const double memory_hz = attribute(cudaDevAttrMemoryClockRate, device) * 1e3;
  const double clock_hz = attribute(cudaDevAttrClockRate, device) * 1e3;
  const double fp32_flops_per_s = clock_hz * driver.sms * 256;
  DeviceFacts unknown;
  unknown.chip = chip;
  unknown.hbm_bytes_per_s = memory_hz * 2 * attribute(cudaDevAttrGlobalMemoryBusWidth, device) / 8;
  unknown.bf16_flops_per_s = 8 * fp32_flops_per_s;
  unknown.fp32_flops_per_s = fp32_flops_per_s;
  DeviceFacts facts = nominal_facts(chip).value_or(unknown);
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  MEASURE_CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
  MEASURE_CUDA(cudaGetDeviceCount(&facts.gpus));
  facts.cuda_name = driver.cuda_name;
  facts.capability = properties.major * 10 + properties.minor;
  facts.sms = driver.sms;
  facts.memory_bytes = static_cast<std::int64_t>(free_bytes > kReservedBytes ? free_bytes - kReservedBytes : 0);
  facts.l2_bytes = properties.l2CacheSize;
  facts.shared_bytes_per_sm = static_cast<std::int64_t>(properties.sharedMemPerMultiprocessor);
  return facts;
}

std::string pci_bus_id(int device) {
  std::array<char, 32> text{};
  MEASURE_CUDA(cudaDeviceGetPCIBusId(text.data(), text.size(), device));
  return text.data();
}

}  // namespace

OpenGpu::OpenGpu(const Arguments& arguments) {
  select_device(arguments.device);
  gpu_.ordinal = arguments.device;
  gpu_.options = arguments.options;
  gpu_.facts = ask_facts(arguments);
  nvml_ = std::make_unique<Nvml>(pci_bus_id(arguments.device));
  gpu_.nvml = nvml_.get();
  MEASURE_CUDA(cudaStreamCreateWithFlags(&gpu_.stream, cudaStreamNonBlocking));
}

OpenGpu::~OpenGpu() { cudaStreamDestroy(gpu_.stream); }

std::string OpenGpu::software() const {
  int runtime = 0;
  MEASURE_CUDA(cudaRuntimeGetVersion(&runtime));
  return std::string("mlosim-measure ") + MEASURE_VERSION + " cuda " + version_text(runtime) + " driver " +
         nvml_->driver_version().value_or("unknown");
}

std::vector<Fact> OpenGpu::facts() const {
  int runtime = 0;
  int driver = 0;
  MEASURE_CUDA(cudaRuntimeGetVersion(&runtime));
  MEASURE_CUDA(cudaDriverGetVersion(&driver));
  const DeviceFacts& facts = gpu_.facts;
  return {
      text_fact("started", utc_now()),
      text_fact("program", std::string("mlosim-measure ") + MEASURE_VERSION),
      text_fact("commit", MEASURE_COMMIT),
      text_fact("device", facts.chip),
      text_fact("gpu", facts.cuda_name),
      text_fact("uuid", nvml_->uuid().value_or("unknown")),
      text_fact("pci_bus_id", pci_bus_id(gpu_.ordinal)),
      number_fact("compute_capability", facts.capability / 10.0),
      number_fact("sms", facts.sms),
      number_fact("free_memory_bytes", static_cast<double>(facts.memory_bytes)),
      number_fact("l2_bytes", static_cast<double>(facts.l2_bytes)),
      flag_fact("ecc", nvml_->ecc_enabled()),
      text_fact("driver", nvml_->driver_version().value_or("unknown")),
      text_fact("driver_cuda", version_text(driver)),
      text_fact("toolkit", version_text(runtime)),
      text_fact("vbios", nvml_->vbios_version().value_or("unknown")),
      number_fact("power_cap_w", nvml_->power_cap_w()),
      number_fact("max_sm_clock_mhz", nvml_->max_sm_clock_mhz()),
      number_fact("sm_clock_at_start_mhz", nvml_->sm_clock_mhz()),
      number_fact("memory_clock_mhz", nvml_->memory_clock_mhz()),
      number_fact("temperature_at_start_c", nvml_->temperature_c()),
      flag_fact("persistence_mode", nvml_->persistence_mode()),
      text_fact("clocks_held_by", nvml_->throttle_reasons()),
      text_fact("nvml", nvml_->available() ? "available" : nvml_->absence()),
  };
}

bool has_gpu() {
  int count = 0;
  const bool found = cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
  cudaGetLastError();
  return found;
}

}  // namespace mlosim::measure
