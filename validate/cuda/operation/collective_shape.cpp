#include "validate/cuda/operation/collective_shape.hpp"

#include <stdexcept>
#include <string>

namespace mlosim::measure {

const char* to_string(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::all_reduce:
      return "all_reduce";
    case CollectiveKind::all_gather:
      return "all_gather";
    case CollectiveKind::reduce_scatter:
      return "reduce_scatter";
    case CollectiveKind::alltoall:
      return "alltoall";
    case CollectiveKind::send_recv:
      return "send_recv";
  }
  return "";
}

CollectiveKind collective_kind_of(std::string_view name) {
  for (CollectiveKind kind : {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter,
                              CollectiveKind::alltoall, CollectiveKind::send_recv})
    if (name == to_string(kind)) return kind;
  throw std::logic_error("no such collective: " + std::string(name));
}

CollectiveShape collective_shape_of(const Cells& identity) {
  return {.kind = collective_kind_of(value_of(identity, "kind")),
          .bytes = parse_count(value_of(identity, "bytes")),
          .ranks = static_cast<int>(parse_count(value_of(identity, "ranks")))};
}

double bus_factor(const CollectiveShape& shape) {
  const double others = static_cast<double>(shape.ranks - 1) / shape.ranks;
  switch (shape.kind) {
    case CollectiveKind::all_reduce:
      return 2 * others;
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
    case CollectiveKind::alltoall:
      return others;
    case CollectiveKind::send_recv:
      return 1;
  }
  return 0;
}

}  // namespace mlosim::measure
