// Clocks, power and state of a GPU through NVML, which is loaded when the program runs: a host without it, or a
// container that hides a counter, leaves the figure out. Host side only: no CUDA headers.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace mlosim::measure {

class Nvml {
 public:
  // The GPU at this PCI address ("0000:65:00.0", as cudaDeviceGetPCIBusId tells it). Never throws for want of NVML.
  explicit Nvml(const std::string& pci_bus_id);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  bool available() const;
  // Why not, in words; empty where available.
  const std::string& absence() const;

  std::optional<double> power_w() const;  // of the board; averaged by the driver over up to a second on some GPUs
  std::optional<double> sm_clock_mhz() const;
  std::optional<double> memory_clock_mhz() const;
  std::optional<double> max_sm_clock_mhz() const;
  std::optional<double> temperature_c() const;
  std::optional<double> power_cap_w() const;
  std::optional<double> energy_j() const;  // since the driver was loaded; counts in millijoules
  std::optional<bool> ecc_enabled() const;
  std::optional<bool> persistence_mode() const;
  // Reasons that hold the clocks now, in words: "power cap", "thermal", ...; empty where none or unknown.
  std::string throttle_reasons() const;
  std::optional<std::string> driver_version() const;
  std::optional<std::string> uuid() const;
  std::optional<std::string> vbios_version() const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  std::string absence_;
};

}  // namespace mlosim::measure
