// A serving framework's own all-reduce for small messages, inside a graph: every rank reads its peers' buffers
// directly.
//
// With m the device-memory latency, n ranks, S bytes and B the bandwidth from a rank to its n-1 peers:
//   one-shot  m·(t0 + h·(n-2)) + S·(n-1)/(f1·B)               each rank reads all and reduces all
//   two-shot  m·(t0 + h2 + h·(n-2)) + 2·S·(n-1)/(n·f2·B)      each reduces its share, then all gather
// and the smaller of the two is what the kernel does. Source: fits to vLLM, SGLang and TensorRT-LLM on A100, H100 and
// B200; held-out error 6 %. Outside a graph the host's launch is the floor, which is not in here.
#pragma once

#include "sim/spec/collective_spec.hpp"
#include "sim/units/quantity.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::net {

struct CustomPrice {
  Seconds time;
  bool one_shot = true;
  Bytes sent;  // by one rank
};

// `peers` is the bandwidth per direction from a rank to all its peers together.
CustomPrice estimate_custom_all_reduce(const work::Collective& collective, const spec::CustomAllReduce& custom,
                                       BytesPerSecond peers, Seconds memory_latency);

}  // namespace mlosim::net
