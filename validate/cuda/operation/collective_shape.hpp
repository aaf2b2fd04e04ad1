// One collective of the contract's op `collective`, on GPUs of one host. Host side only: no CUDA.
#pragma once

#include <cstdint>
#include <string_view>

#include "validate/cuda/measure/case.hpp"

namespace mlosim::measure {

// send_recv: each rank sends to the next and receives from the one before, as nccl-tests' sendrecv does.
enum class CollectiveKind { all_reduce, all_gather, reduce_scatter, alltoall, send_recv };

const char* to_string(CollectiveKind kind);
CollectiveKind collective_kind_of(std::string_view name);

// `bytes` is the larger buffer of a rank: the gathered one, the unreduced one, all that is exchanged.
struct CollectiveShape {
  CollectiveKind kind = CollectiveKind::all_reduce;
  std::int64_t bytes = 0;
  int ranks = 2;

  std::int64_t send_bytes() const { return kind == CollectiveKind::all_gather ? bytes / ranks : bytes; }
  std::int64_t receive_bytes() const { return kind == CollectiveKind::reduce_scatter ? bytes / ranks : bytes; }
};

CollectiveShape collective_shape_of(const Cells& identity);

// Of the bus bandwidth, as nccl-tests defines it: what each rank's link carries, over the bytes.
double bus_factor(const CollectiveShape& shape);

}  // namespace mlosim::measure
