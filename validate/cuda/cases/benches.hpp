// The device halves of all cases; benches.cpp names them by their cases. Needs the CUDA runtime's header.
#pragma once

#include "validate/cuda/device/bench.hpp"

namespace mlosim::measure {

Bench prepare_stream(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_l2_bandwidth(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_shared_bandwidth(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_sm_scaling(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_pointer_chase(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_l2_distance(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_host_copy(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_launch(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_round_trip(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_grid(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_gemm(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_tensor_peak(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_vector_peak(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_row_pass(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_sustained_gemm(const State& state, const Plan& plan, const Gpu& gpu);
Bench prepare_sustained_load(const State& state, const Plan& plan, const Gpu& gpu);
#ifdef MEASURE_HAVE_NCCL
Bench prepare_collective(const State& state, const Plan& plan, const Gpu& gpu);
#endif

}  // namespace mlosim::measure
