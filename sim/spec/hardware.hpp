// From names to specs: reads a system with its chip, family and collective library, lays the runtime's and the user's
// overrides over them, and decodes. Used by whatever needs a machine.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/library.hpp"
#include "sim/spec/node.hpp"
#include "sim/spec/runtime_spec.hpp"
#include "sim/spec/system_spec.hpp"

namespace mlosim::spec {

// The documents of a system, before decoding. `chip` has its family merged in; `collectives` is null without a library;
// `runtime` has none of its `families` but the chip's.
struct HardwareDocuments {
  Value system;
  Value chip;
  Value collectives;
  Value runtime;
};

// A decoded machine and the provenance of every number in it ("chip.…", "system.…", "collectives.…", "runtime.…").
struct Hardware {
  SystemSpec system;
  RuntimeSpec runtime;
  ProvenanceTable provenance;
  bool is_hypothetical = false;  // overrides were laid over chip, system or collectives: nobody measured this machine
};

// One `--set` or `overrides:` entry: a path below system, chip, collectives or runtime, and its value.
struct Override {
  std::string path;
  Value value;
};

// A software stack by name, by a path, or by a version of its name ("nemo-24.07"); empty: the vendor's default. One
// that is unknown, is not made for the chip or does not train falls back to the default, with a warning.
struct RuntimeRequest {
  std::string name;
  bool trains = false;  // the stack is to train: only those with a `training:` block do
};

// Reads the documents of a system (a name, a path, or a chip's name for a chip alone) and of a runtime.
HardwareDocuments read_hardware(const Library& library, std::string_view system, const RuntimeRequest& runtime,
                                std::vector<std::string>& warnings);
// The same for a system's or a chip's document that has been read already.
HardwareDocuments complete_hardware(const Library& library, Value document, const RuntimeRequest& runtime,
                                    std::vector<std::string>& warnings);

// What is wrong with `system` where it is no path and neither a system's nor a chip's name.
std::optional<Diagnostic> check_system_name(const Library& library, std::string_view system, const Place& asked_at);

// A chip's document with its family's laid under it.
Value with_family(const Library& library, const Value& chip);
Value lay_over_family(const Value& family, const Value& chip);

// True for the paths that apply_override takes.
bool is_hardware_path(std::string_view path);
// True for those of them that make another machine: all but the runtime's.
bool changes_machine(std::string_view path);
// Lays one override over the documents. "system.chip.x" and "chip.x" are the same place. Throws InputError.
void apply_override(HardwareDocuments& documents, const Override& change);

// Decodes; mistakes are collected in `decoding` (the caller throws), provenance is moved to the result.
Hardware decode_hardware(const HardwareDocuments& documents, Decoding& decoding);
// Decodes again what follows from the numbers at `paths` ("chip.l2.bandwidth"), into what was decoded from all
// documents before those changed. Provenance stays in `decoding`.
void decode_again(const HardwareDocuments& documents, std::span<const std::string> paths, Hardware& hardware,
                  Decoding& decoding);
// For whom mistakes are the end: decodes, throws InputError with all of them, appends warnings.
Hardware require_hardware(const HardwareDocuments& documents, std::vector<std::string>& warnings);
// Reads (read_hardware) and decodes.
Hardware require_hardware(const Library& library, std::string_view system, const RuntimeRequest& runtime,
                          std::vector<std::string>& warnings);

}  // namespace mlosim::spec
