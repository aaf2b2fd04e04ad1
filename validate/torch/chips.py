"""Which mlosim chip a GPU is, and its nominal figures, which guess times and nothing else. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """A chip by mlosim's name. Figures as hw_specs/chips has them with their sources."""

    name: str
    driver_name: str  # without the maker and the brand
    units: int  # streaming multiprocessors, or compute units
    memory_bytes: float
    l2_bytes: float
    bytes_per_s: float
    matrix_flops_per_s: float  # bf16 or fp16


CHIPS = [
    Chip("v100_sxm2_32gb", "V100-SXM2-32GB", 80, 34e9, 6e6, 900e9, 125e12),
    Chip("v100_pcie_32g", "V100-PCIE-32GB", 80, 34e9, 6e6, 900e9, 112e12),
    Chip("t4", "T4", 40, 16e9, 4e6, 320e9, 65e12),
    Chip("a100_sxm_40gb", "A100-SXM4-40GB", 108, 42e9, 40e6, 1555e9, 312e12),
    Chip("a100_sxm_80gb", "A100-SXM4-80GB", 108, 85e9, 40e6, 2039e9, 312e12),
    Chip("a100_pcie_40g", "A100-PCIE-40GB", 108, 42e9, 40e6, 1555e9, 312e12),
    Chip("a100_pcie_80g", "A100 80GB PCIe", 108, 85e9, 40e6, 1935e9, 312e12),
    Chip("a40", "A40", 84, 48e9, 6e6, 696e9, 150e12),
    Chip("a6000", "RTX A6000", 84, 51e9, 6e6, 768e9, 155e12),
    Chip("l4", "L4", 58, 24e9, 48e6, 300e9, 121e12),
    Chip("l40s", "L40S", 142, 48e9, 96e6, 864e9, 362e12),
    Chip("rtx_4090", "RTX 4090", 128, 25e9, 72e6, 1008e9, 165e12),
    Chip("h100_sxm", "H100 80GB HBM3", 132, 85e9, 50e6, 3350e9, 989e12),
    Chip("h100_pcie", "H100 PCIe", 114, 85e9, 50e6, 2000e9, 756e12),
    Chip("h800_sxm", "H800", 132, 85e9, 50e6, 3350e9, 989e12),
    Chip("h200_sxm", "H200", 132, 150e9, 50e6, 4800e9, 989e12),
    Chip("b200_sxm", "B200", 148, 190e9, 126e6, 7700e9, 2250e12),
    Chip("gb200", "GB200", 148, 196e9, 126e6, 8000e9, 2500e12),
    Chip("b300_sxm", "B300 SXM6 AC", 148, 285e9, 126e6, 7750e9, 2250e12),
    Chip("gb300", "GB300", 148, 295e9, 126e6, 8000e9, 2500e12),
    Chip("rtx_pro_6000_server", "RTX PRO 6000 Blackwell Server Edition", 188, 100e9, 128e6, 1792e9, 503e12),
]

# Parts of one name differ in a few units and in the memory that ECC and firmware keep back; a slice of a GPU differs by
# more than this and is no chip of the table.
_UNIT_TOLERANCE = 0.05
_MEMORY_TOLERANCE = 0.15


def chip_named(name: str) -> Chip | None:
    return next((chip for chip in CHIPS if chip.name == name), None)


def chip_of(driver_name: str, units: int, memory_bytes: float) -> Chip | None:
    """The chip that a driver describes so; None where the table has none."""
    for brand in ("NVIDIA ", "Tesla ", "GeForce "):
        if driver_name.startswith(brand):
            driver_name = driver_name[len(brand) :]
    for chip in CHIPS:
        if (
            chip.driver_name == driver_name
            and abs(units - chip.units) <= _UNIT_TOLERANCE * chip.units
            and abs(memory_bytes - chip.memory_bytes) <= _MEMORY_TOLERANCE * chip.memory_bytes
        ):
            return chip
    return None
