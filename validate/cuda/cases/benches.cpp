#include "validate/cuda/cases/benches.hpp"

namespace mlosim::measure {

const std::map<std::string, Prepare>& all_benches() {
  static const std::map<std::string, Prepare> kBenches = {
      {"memory.stream", prepare_stream},
      {"memory.l2", prepare_l2_bandwidth},
      {"memory.shared", prepare_shared_bandwidth},
      {"memory.sm_scaling", prepare_sm_scaling},
      {"latency.chase", prepare_pointer_chase},
      {"latency.l2_parts", prepare_l2_distance},
      {"launch.host_copy", prepare_host_copy},
      {"launch.kernel", prepare_launch},
      {"launch.round_trip", prepare_round_trip},
      {"launch.grid", prepare_grid},
      {"peak.tensor", prepare_tensor_peak},
      {"peak.vector", prepare_vector_peak},
      {"gemm.zoo", prepare_gemm},
      {"gemm.power_of_two", prepare_gemm},
      {"gemm.awkward", prepare_gemm},
      {"gemm.batched", prepare_gemm},
      {"elementwise.pass", prepare_row_pass},
      {"elementwise.row", prepare_row_pass},
      {"sustained.gemm", prepare_sustained_gemm},
      {"sustained.load", prepare_sustained_load},
#ifdef MEASURE_HAVE_NCCL
      {"collective.nccl", prepare_collective},
#endif
  };
  return kBenches;
}

}  // namespace mlosim::measure
