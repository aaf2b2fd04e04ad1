#include "sim/spec/silicon_spec.hpp"

namespace mlosim::spec {
namespace {

IoDies decode_io_dies(Node node) {
  IoDies io{.process = node.require_text("process"), .count = node.require_count("count"), .levels = {}};
  for (const Node& level : node.child("levels").items()) io.levels.push_back(level.as_text());
  node.finish();
  return io;
}

}  // namespace

SiliconSpec decode_silicon(Node node) {
  SiliconSpec silicon{.process = node.require_text("process"),
                      .dies = node.count_or("dies", 1),
                      .spare_units = node.count_or("spare_units", 0, 0),
                      .registers = node.value_or<Bytes>("registers", Bytes(0), Range::non_negative),
                      .memory = node.require_text("memory"),
                      .interfaces = node.require_count("interfaces"),
                      .links = node.value_or<BytesPerSecond>("links", BytesPerSecond(0), Range::non_negative),
                      .io = {},
                      .published_area_mm2 = {}};
  if (Node io = node.child("io"); io.is_present()) silicon.io = decode_io_dies(io);
  if (node.has("published_area_mm2")) silicon.published_area_mm2 = node.require_number("published_area_mm2");
  node.finish();
  return silicon;
}

}  // namespace mlosim::spec
