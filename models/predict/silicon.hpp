// The area of a chip's dies and what it costs to make, from the numbers of its spec: an architect who widens the matrix
// units, adds SRAM or a stack of memory sees it in square millimetres and dollars.
//
//   compute die = [units · (matrix · flop/clk + vector · flop/clk) · logic(process) + SRAM · mm2/MiB(process)
//                 + memory interfaces + links + host] · (1 + overhead)
//   I/O dies take the interfaces and the levels that the spec puts there, and a network of their own.
//   yield = (1 + A·D/α)^-α of what is not unit, times the chance that no more units are broken than are spare
//   cost  = wafer / (dies a wafer · yield) · dies + memory · USD/GB + package · USD/mm2, over the assembly's yield
//
// Constants: hw_specs/silicon.yaml, which says how far known dies come out. Source of the dies-per-wafer and yield
// formulas: Hennessy and Patterson, Computer Architecture, section 1.6. Wrong where a process is used at another
// density than its dies here (graphics, caches of unusual ports), and blind to what a vendor pays less or charges more.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/chip_spec.hpp"
#include "sim/spec/library.hpp"

namespace mlosim::predict {

using DollarsPerByte = Quantity<Dim<0, -1, 0, 0, 1>>;

struct Process {
  Dollars wafer;
  double defects_per_cm2 = 0;
  double sram_mm2_per_mib = 0;  // with decoders, tags and redundancy
  double logic = 1;             // area of the same logic, against N7
};

struct MemoryKind {
  double interface_mm2 = 0;  // of a stack, or of a channel of 32 bit, on the die
  double package_mm2 = 0;    // of a stack beside the die; 0: on the board
  DollarsPerByte cost;
};

// Logic on N7 for 1000 flop per clk.
struct LogicArea {
  double matrix_mm2 = 0;  // 16-bit formats
  double vector_mm2 = 0;  // fp32, with schedulers, load and store
};

struct SiliconTable {
  std::map<std::string, Process> processes;
  std::map<std::string, MemoryKind> memories;
  LogicArea simt, systolic;
  double link_mm2_per_gb_per_s = 0;
  double host_mm2 = 0;
  double overhead = 0;              // network, control, test, margins: of everything else
  double compute_die_overhead = 0;  // the same where interfaces are on dies of their own
  double io_die_network_mm2 = 0;
  double wafer_mm = 300;
  double clustering = 3;  // α of the negative binomial
  double reticle_mm2 = 858;
  double area_error = 0;           // relative, of areas that this gives
  Dollars package;                 // substrate, assembly and test of any
  double package_usd_per_mm2 = 0;  // of silicon on an interposer, where there is one
  double assembly_yield = 1;
};

// None where the library has no hw_specs/silicon.yaml. Throws spec::InputError.
std::optional<SiliconTable> read_silicon(const spec::Library& library);
SiliconTable decode_silicon_file(spec::Node node);

struct AreaPart {
  std::string name;
  double mm2 = 0;  // in all dies of the package
};

struct SiliconEstimate {
  std::vector<AreaPart> parts;
  double area_mm2 = 0;           // of all dies
  double largest_die_mm2 = 0;    // the reticle's limit is on it
  bool exceeds_reticle = false;  // even if it is smaller by the error of areas
  double area_error = 0;         // relative
  double yield = 1;              // of a compute die
  Dollars dies, memory, packaging;
  std::optional<double> published_area_mm2;

  Dollars total() const { return dies + memory + packaging; }
};

// None where the chip does not say what it is built of. Throws spec::InputError where it names a process or a memory
// that the table lacks.
std::optional<SiliconEstimate> estimate_silicon(const spec::ChipSpec& chip, const SiliconTable& table);

// "826 mm2 of dies, …": the breakdown, a line each, as comments of YAML where `prefix` is "# ".
std::string render_silicon(const SiliconEstimate& estimate, const std::string& prefix);

}  // namespace mlosim::predict
