// Reads hw_specs/silicon.yaml.
#include "models/predict/silicon.hpp"

#include "models/predict/table_files.hpp"

namespace mlosim::predict {
namespace {

using spec::Node;
using spec::Range;

Process decode_process(Node node) {
  Process p{.wafer = node.require<Dollars>("wafer"),
            .defects_per_cm2 = node.require_number("defects_per_cm2"),
            .sram_mm2_per_mib = node.require_number("sram_mm2_per_mib"),
            .logic = node.require_number("logic")};
  node.finish();
  return p;
}

MemoryKind decode_memory(Node node) {
  MemoryKind m{.interface_mm2 = node.require_number("interface_mm2"),
               .package_mm2 = node.require_number("package_mm2", Range::non_negative),
               .cost = node.require<DollarsPerByte>("cost")};
  node.finish();
  return m;
}

LogicArea decode_logic(Node node) {
  LogicArea l{.matrix_mm2 = node.require_number("matrix_mm2"), .vector_mm2 = node.require_number("vector_mm2")};
  node.finish();
  return l;
}

}  // namespace

SiliconTable decode_silicon_file(Node node) {
  SiliconTable t;
  node.expect_schema("mlosim/silicon/1");
  node.require_text("name");
  node.text_or("description", "");
  for (auto& [name, process] : node.require_mapping("processes").members())
    t.processes.emplace(name, decode_process(process));
  for (auto& [name, memory] : node.require_mapping("memories").members())
    t.memories.emplace(name, decode_memory(memory));
  t.simt = decode_logic(node.require_mapping("simt"));
  t.systolic = decode_logic(node.require_mapping("systolic"));
  t.link_mm2_per_gb_per_s = node.require_number("link_mm2_per_gb_per_s");
  t.host_mm2 = node.require_number("host_mm2");
  t.overhead = node.require_number("overhead");
  t.compute_die_overhead = node.require_number("compute_die_overhead");
  t.io_die_network_mm2 = node.require_number("io_die_network_mm2");
  t.wafer_mm = node.require_number("wafer_mm");
  t.clustering = node.require_number("clustering");
  t.area_error = node.require_number("area_error", Range::fraction);
  t.reticle_mm2 = node.require_number("reticle_mm2");
  t.package = node.require<Dollars>("package");
  t.package_usd_per_mm2 = node.require_number("package_usd_per_mm2");
  t.assembly_yield = node.require_number("assembly_yield", Range::fraction);
  node.finish();
  return t;
}

std::optional<SiliconTable> read_silicon(const spec::Library& library) {
  const auto file = library.find_file(kSiliconFile);
  if (!file) return std::nullopt;
  const spec::Value document = spec::read_document(*file);
  spec::Decoding decoding{.keeps_provenance = false};
  SiliconTable table = decode_silicon_file(Node(&document, "silicon", &decoding));
  decoding.diagnostics.throw_if_any();
  return table;
}

}  // namespace mlosim::predict
