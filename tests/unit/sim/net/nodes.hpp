// Nodes that the tests of sim/net price collectives on: fabrics and the few figures of a chip that matter there,
// written out here so that a change of hw_specs/systems moves no test. The collective libraries are the repository's
// own.
#pragma once

#include <string>

#include "sim/spec/document.hpp"
#include "sim/spec/nccl_spec.hpp"
#include "sim/spec/system_spec.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::net {

// In the version that its file names, or in another.
inline spec::NcclSpec read_library(const std::string& name, const std::string& version = "") {
  spec::Value document =
      spec::read_document((support::source_dir() / "hw_specs" / "families" / (name + ".yaml")).string());
  if (!version.empty()) spec::set_at(document, "version", spec::make_scalar(version, "test"));
  document = spec::at_version(document);
  spec::Decoding decoding;
  const spec::NcclSpec library = spec::decode_nccl(spec::Node(&document, name, &decoding));
  decoding.diagnostics.throw_if_any();
  return library;
}

inline spec::ChipSpec make_chip(const std::string& family, Hertz clock, Seconds memory_latency) {
  spec::ChipSpec chip;
  chip.name = family;
  chip.family = family;
  chip.clock = clock;
  spec::MemoryLevel memory;
  memory.name = "hbm";
  memory.latency = memory_latency;
  chip.levels.push_back(memory);
  return chip;
}

inline spec::SystemSpec make_switched(const std::string& family, Hertz clock, Seconds memory_latency,
                                      BytesPerSecond link) {
  spec::SystemSpec system;
  system.name = family + "_node";
  system.chip = make_chip(family, clock, memory_latency);
  system.fabric.topology = spec::Topology::switched;
  system.fabric.chips = 8;
  system.fabric.bandwidth = link;
  system.fabric.latency = Seconds(0.5e-6);
  system.nccl = read_library("nccl");
  system.nccl_name = "nccl";
  return system;
}

inline spec::SystemSpec a100_node() {
  return make_switched("ampere", Hertz(1.41e9), Seconds(0.391e-6), BytesPerSecond(300e9));
}
inline spec::SystemSpec h100_node() {
  return make_switched("hopper", Hertz(1.98e9), Seconds(0.288e-6), BytesPerSecond(450e9));
}
inline spec::SystemSpec b200_node() {
  return make_switched("blackwell", Hertz(1.965e9), Seconds(0.438e-6), BytesPerSecond(900e9));
}

inline spec::SystemSpec mi300x_node() {
  spec::SystemSpec system;
  system.name = "mi300x_node";
  system.chip = make_chip("cdna3", Hertz(2.1e9), Seconds(0.42e-6));
  system.fabric.topology = spec::Topology::full;
  system.fabric.chips = 8;
  system.fabric.bandwidth = BytesPerSecond(448e9);
  system.fabric.latency = Seconds(0.8e-6);
  system.fabric.efficiency = 0.72;
  system.nccl = read_library("rccl");
  system.nccl_name = "rccl";
  return system;
}

inline spec::SystemSpec l40s_node() {
  spec::SystemSpec system;
  system.name = "l40s_node";
  system.chip = make_chip("ada", Hertz(2.52e9), Seconds(0.25e-6));
  system.fabric.topology = spec::Topology::pcie;
  system.fabric.chips = 8;
  system.fabric.bandwidth = BytesPerSecond(32e9);
  system.fabric.latency = Seconds(0.94e-6);
  system.fabric.collective_start = Seconds(6.4e-6);
  system.fabric.shared_path = {{2, BytesPerSecond(18.9e9)}, {4, BytesPerSecond(5.0e9)}, {8, BytesPerSecond(1.26e9)}};
  return system;
}

inline spec::SystemSpec tpu_v4_pod() {
  spec::SystemSpec system;
  system.name = "tpu_v4_pod";
  system.chip = make_chip("tpu", Hertz(1.05e9), Seconds(0.46e-6));
  system.fabric.topology = spec::Topology::torus;
  system.fabric.chips = 4096;
  system.fabric.bandwidth = BytesPerSecond(45e9);
  system.fabric.latency = Seconds(0.475e-6);
  system.fabric.endpoint_latency = Seconds(0.78e-6);
  system.fabric.collective_start = Seconds(7.4e-6);
  system.fabric.efficiency = 0.9;
  system.fabric.dimensions = {16, 16, 16};
  system.fabric.wraparound = spec::Wraparound::cubes_of_4;
  return system;
}

inline spec::SystemSpec tpu_v5e_pod() {
  spec::SystemSpec system = tpu_v4_pod();
  system.name = "tpu_v5e_pod";
  system.fabric.chips = 256;
  system.fabric.dimensions = {16, 16};
  system.fabric.wraparound = spec::Wraparound::whole_axis;
  return system;
}

}  // namespace mlosim::net
