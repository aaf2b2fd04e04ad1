#include "validate/cuda/measure/nvml.hpp"

#include <dlfcn.h>

#include <array>
#include <utility>

namespace mlosim::measure {

// The part of NVML's interface (nvml.h) that is used here. Every entry may be missing in an old driver.
struct Nvml::Library {
  using Device = void*;
  using Status = int;  // 0 is success
  static constexpr int kSmClock = 1;
  static constexpr int kMemoryClock = 2;
  static constexpr int kGpuTemperature = 0;

  ~Library() {
    if (shutdown != nullptr && initialized) shutdown();
    if (handle != nullptr) dlclose(handle);
  }

  template <typename Function>
  void find(Function*& entry, const char* name) const {
    entry = reinterpret_cast<Function*>(dlsym(handle, name));
  }

  void* handle = nullptr;
  bool initialized = false;
  Device device = nullptr;
  Status (*init)() = nullptr;
  Status (*shutdown)() = nullptr;
  const char* (*error_string)(Status) = nullptr;
  Status (*by_pci_bus_id)(const char*, Device*) = nullptr;
  Status (*power_usage)(Device, unsigned*) = nullptr;
  Status (*clock_info)(Device, int, unsigned*) = nullptr;
  Status (*max_clock_info)(Device, int, unsigned*) = nullptr;
  Status (*temperature)(Device, int, unsigned*) = nullptr;
  Status (*power_limit)(Device, unsigned*) = nullptr;
  Status (*total_energy)(Device, unsigned long long*) = nullptr;
  Status (*ecc_mode)(Device, int*, int*) = nullptr;
  Status (*persistence)(Device, int*) = nullptr;
  Status (*clock_reasons)(Device, unsigned long long*) = nullptr;
  Status (*driver)(char*, unsigned) = nullptr;
  Status (*device_uuid)(Device, char*, unsigned) = nullptr;
  Status (*vbios)(Device, char*, unsigned) = nullptr;
};

namespace {

// Calls an entry that answers through its last argument; nothing where the entry is missing or refuses.
template <typename Value, typename Function, typename... Arguments>
std::optional<Value> ask(Function* entry, Arguments... arguments) {
  Value value{};
  if (entry == nullptr || entry(arguments..., &value) != 0) return std::nullopt;
  return value;
}

std::optional<double> scaled(std::optional<unsigned> value, double scale) {
  if (!value) return std::nullopt;
  return *value * scale;
}

using Text = std::array<char, 128>;

}  // namespace

Nvml::Nvml(const std::string& pci_bus_id) : library_(std::make_unique<Library>()) {
  Library& n = *library_;
  n.handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (n.handle == nullptr) {
    absence_ = "libnvidia-ml.so.1 is not to be found: no clocks, no power";
    return;
  }
  n.find(n.init, "nvmlInit_v2");
  n.find(n.shutdown, "nvmlShutdown");
  n.find(n.error_string, "nvmlErrorString");
  n.find(n.by_pci_bus_id, "nvmlDeviceGetHandleByPciBusId_v2");
  n.find(n.power_usage, "nvmlDeviceGetPowerUsage");
  n.find(n.clock_info, "nvmlDeviceGetClockInfo");
  n.find(n.max_clock_info, "nvmlDeviceGetMaxClockInfo");
  n.find(n.temperature, "nvmlDeviceGetTemperature");
  n.find(n.power_limit, "nvmlDeviceGetEnforcedPowerLimit");
  n.find(n.total_energy, "nvmlDeviceGetTotalEnergyConsumption");
  n.find(n.ecc_mode, "nvmlDeviceGetEccMode");
  n.find(n.persistence, "nvmlDeviceGetPersistenceMode");
  n.find(n.clock_reasons, "nvmlDeviceGetCurrentClocksEventReasons");
  if (n.clock_reasons == nullptr) n.find(n.clock_reasons, "nvmlDeviceGetCurrentClocksThrottleReasons");
  n.find(n.driver, "nvmlSystemGetDriverVersion");
  n.find(n.device_uuid, "nvmlDeviceGetUUID");
  n.find(n.vbios, "nvmlDeviceGetVbiosVersion");
  if (n.init == nullptr || n.by_pci_bus_id == nullptr) {
    absence_ = "libnvidia-ml.so.1 lacks the entries of NVML: no clocks, no power";
    return;
  }
  const auto refused = [&](const char* call, Library::Status status) {
    absence_ = std::string(call) + ": " +
               (n.error_string != nullptr ? n.error_string(status) : std::to_string(status).c_str()) +
               ": no clocks, no power";
  };
  if (const Library::Status status = n.init(); status != 0) {
    refused("nvmlInit_v2", status);
    return;
  }
  n.initialized = true;
  if (const Library::Status status = n.by_pci_bus_id(pci_bus_id.c_str(), &n.device); status != 0) {
    n.device = nullptr;
    refused("nvmlDeviceGetHandleByPciBusId_v2", status);
  }
}

Nvml::~Nvml() = default;

bool Nvml::available() const { return library_->device != nullptr; }
const std::string& Nvml::absence() const { return absence_; }

std::optional<double> Nvml::power_w() const {
  if (!available()) return std::nullopt;
  return scaled(ask<unsigned>(library_->power_usage, library_->device), 1e-3);
}

std::optional<double> Nvml::sm_clock_mhz() const {
  if (!available()) return std::nullopt;
  return scaled(ask<unsigned>(library_->clock_info, library_->device, Library::kSmClock), 1);
}

std::optional<double> Nvml::memory_clock_mhz() const {
  if (!available()) return std::nullopt;
  return scaled(ask<unsigned>(library_->clock_info, library_->device, Library::kMemoryClock), 1);
}

std::optional<double> Nvml::max_sm_clock_mhz() const {
  if (!available()) return std::nullopt;
  return scaled(ask<unsigned>(library_->max_clock_info, library_->device, Library::kSmClock), 1);
}

std::optional<double> Nvml::temperature_c() const {
  if (!available()) return std::nullopt;
  return scaled(ask<unsigned>(library_->temperature, library_->device, Library::kGpuTemperature), 1);
}

std::optional<double> Nvml::power_cap_w() const {
  if (!available()) return std::nullopt;
  return scaled(ask<unsigned>(library_->power_limit, library_->device), 1e-3);
}

std::optional<double> Nvml::energy_j() const {
  if (!available()) return std::nullopt;
  const auto millijoules = ask<unsigned long long>(library_->total_energy, library_->device);
  if (!millijoules) return std::nullopt;
  return static_cast<double>(*millijoules) * 1e-3;
}

std::optional<bool> Nvml::ecc_enabled() const {
  int current = 0;
  int pending = 0;
  if (!available() || library_->ecc_mode == nullptr || library_->ecc_mode(library_->device, &current, &pending) != 0)
    return std::nullopt;
  return current != 0;
}

std::optional<bool> Nvml::persistence_mode() const {
  if (!available()) return std::nullopt;
  const auto mode = ask<int>(library_->persistence, library_->device);
  if (!mode) return std::nullopt;
  return *mode != 0;
}

std::string Nvml::throttle_reasons() const {
  if (!available()) return "";
  const unsigned long long bits = ask<unsigned long long>(library_->clock_reasons, library_->device).value_or(0);
  constexpr std::array<std::pair<unsigned long long, const char*>, 7> kReasons = {{{0x2, "application clocks"},
                                                                                   {0x4, "power cap"},
                                                                                   {0x8, "hardware slowdown"},
                                                                                   {0x10, "sync boost"},
                                                                                   {0x20, "thermal"},
                                                                                   {0x40, "hardware thermal"},
                                                                                   {0x80, "power brake"}}};
  std::string words;
  for (const auto& [bit, word] : kReasons) {
    if ((bits & bit) == 0) continue;
    if (!words.empty()) words += ", ";
    words += word;
  }
  return words;
}

std::optional<std::string> Nvml::driver_version() const {
  Text text{};
  if (!available() || library_->driver == nullptr || library_->driver(text.data(), text.size()) != 0)
    return std::nullopt;
  return std::string(text.data());
}

std::optional<std::string> Nvml::uuid() const {
  Text text{};
  if (!available() || library_->device_uuid == nullptr ||
      library_->device_uuid(library_->device, text.data(), text.size()) != 0)
    return std::nullopt;
  return std::string(text.data());
}

std::optional<std::string> Nvml::vbios_version() const {
  Text text{};
  if (!available() || library_->vbios == nullptr || library_->vbios(library_->device, text.data(), text.size()) != 0)
    return std::nullopt;
  return std::string(text.data());
}

}  // namespace mlosim::measure
