#include "validate/cuda/measure/device_facts.hpp"

#include <array>
#include <cmath>

namespace mlosim::measure {
namespace {

struct KnownChip {
  std::string_view chip;       // mlosim's name
  std::string_view cuda_name;  // the driver's, without the maker and the brand
  int capability;
  int sms;
  double memory_gb;
  double l2_mb;
  double shared_kib;  // of an SM
  double hbm_gb_per_s;
  double bf16_tflops;
  double fp32_tflops;
};

// Nominal figures as hw_specs/chips has them with their sources; they guess times and nothing else.
constexpr std::array kKnownChips = {
    KnownChip{"v100_sxm2_32gb", "V100-SXM2-32GB", 70, 80, 34, 6, 96, 900, 125, 15.7},
    KnownChip{"v100_pcie_32g", "V100-PCIE-32GB", 70, 80, 34, 6, 96, 900, 112, 14},
    KnownChip{"t4", "T4", 75, 40, 16, 4, 64, 320, 65, 8.1},
    KnownChip{"a100_sxm_40gb", "A100-SXM4-40GB", 80, 108, 42, 40, 164, 1555, 312, 19.5},
    KnownChip{"a100_sxm_80gb", "A100-SXM4-80GB", 80, 108, 85, 40, 164, 2039, 312, 19.5},
    KnownChip{"a100_pcie_40g", "A100-PCIE-40GB", 80, 108, 42, 40, 164, 1555, 312, 19.5},
    KnownChip{"a100_pcie_80g", "A100 80GB PCIe", 80, 108, 85, 40, 164, 1935, 312, 19.5},
    KnownChip{"a40", "A40", 86, 84, 48, 6, 100, 696, 150, 37},
    KnownChip{"a6000", "RTX A6000", 86, 84, 51, 6, 100, 768, 155, 39},
    KnownChip{"l4", "L4", 89, 58, 24, 48, 100, 300, 121, 30},
    KnownChip{"l40s", "L40S", 89, 142, 48, 96, 100, 864, 362, 92},
    KnownChip{"rtx_4090", "RTX 4090", 89, 128, 25, 72, 100, 1008, 165, 83},
    KnownChip{"h100_sxm", "H100 80GB HBM3", 90, 132, 85, 50, 228, 3350, 989, 67},
    KnownChip{"h100_pcie", "H100 PCIe", 90, 114, 85, 50, 228, 2000, 756, 51},
    KnownChip{"h800_sxm", "H800", 90, 132, 85, 50, 228, 3350, 989, 67},
    KnownChip{"h200_sxm", "H200", 90, 132, 150, 50, 228, 4800, 989, 67},
    KnownChip{"b200_sxm", "B200", 100, 148, 190, 126, 228, 7700, 2250, 75},
    KnownChip{"gb200", "GB200", 100, 148, 196, 126, 228, 8000, 2500, 80},
    KnownChip{"b300_sxm", "B300 SXM6 AC", 103, 148, 285, 126, 228, 7750, 2250, 75},
    KnownChip{"gb300", "GB300", 103, 148, 295, 126, 228, 8000, 2500, 80},
    KnownChip{"rtx_pro_6000_server", "RTX PRO 6000 Blackwell Server Edition", 120, 188, 100, 128, 100, 1792, 503, 117},
};

// Parts of one name differ in a few SMs and in the memory that ECC and firmware keep back; a slice of a GPU differs by
// more than this and is no chip of the table.
constexpr double kSmTolerance = 0.05;
constexpr double kMemoryTolerance = 0.15;

bool is_near(double value, double nominal, double tolerance) {
  return std::abs(value - nominal) <= tolerance * nominal;
}

std::string_view without_brand(std::string_view name) {
  for (const std::string_view brand : {"NVIDIA ", "Tesla ", "GeForce "})
    if (name.substr(0, brand.size()) == brand) name.remove_prefix(brand.size());
  return name;
}

}  // namespace

std::optional<std::string> chip_of(const DriverDevice& device) {
  const std::string_view name = without_brand(device.cuda_name);
  for (const KnownChip& known : kKnownChips) {
    if (name == known.cuda_name && is_near(device.sms, known.sms, kSmTolerance) &&
        is_near(static_cast<double>(device.memory_bytes), known.memory_gb * 1e9, kMemoryTolerance))
      return std::string(known.chip);
  }
  return std::nullopt;
}

std::optional<DeviceFacts> nominal_facts(std::string_view chip) {
  for (const KnownChip& known : kKnownChips) {
    if (chip != known.chip) continue;
    return DeviceFacts{.chip = std::string(known.chip),
                       .cuda_name = {},
                       .capability = known.capability,
                       .sms = known.sms,
                       .memory_bytes = std::llround(known.memory_gb * 1e9),
                       .l2_bytes = std::llround(known.l2_mb * 1e6),
                       .shared_bytes_per_sm = std::llround(known.shared_kib * 1024),
                       .gpus = 1,
                       .hbm_bytes_per_s = known.hbm_gb_per_s * 1e9,
                       .bf16_flops_per_s = known.bf16_tflops * 1e12,
                       .fp32_flops_per_s = known.fp32_tflops * 1e12};
  }
  return std::nullopt;
}

std::vector<std::string> known_chips() {
  std::vector<std::string> names;
  for (const KnownChip& known : kKnownChips) names.emplace_back(known.chip);
  return names;
}

}  // namespace mlosim::measure
