#include "validate/cuda/device/measure_work.hpp"

#include <new>
#include <stdexcept>

#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/time_launches.hpp"

namespace mlosim::measure {
namespace {

Measured summarized(const std::vector<double>& launch_seconds, double operations, const Bench& bench) {
  std::vector<double> seconds = launch_seconds;
  for (double& one : seconds) {
    if (!(one > 0)) throw std::runtime_error("the clock told no time for a sample");  // nor is a NaN any
    one /= operations;
  }
  Measured measured;
  measured.time = summarize(std::move(seconds));
  measured.library = bench.library;
  if (bench.results) measured.results = bench.results(measured.time.median);
  return measured;
}

Measured measure_itself(const Bench& bench, const Criterion& criterion) {
  const Measurement measurement = bench.measure(criterion);
  Measured measured = summarized(measurement.seconds, bench.operations, bench);
  measured.power_w = measurement.power_w;
  measured.clock_mhz = measurement.clock_mhz;
  measured.results.insert(measured.results.end(), measurement.results.begin(), measurement.results.end());
  return measured;
}

Measured measure_bench(const Bench& bench, const Gpu& gpu, const Criterion& criterion) {
  if (bench.timing != Timing::self && bench.launches.empty()) throw std::logic_error("a bench without launches");
  for (const Launch& launch : bench.launches) launch(gpu.stream);
  MEASURE_CUDA(cudaStreamSynchronize(gpu.stream));
  std::string wrong = bench.check ? bench.check() : "";
  Measured measured;
  if (bench.timing == Timing::self) {
    measured = measure_itself(bench, criterion);
  } else {
    const Timed timed = bench.timing == Timing::graph ? time_in_graph(bench.launches, gpu, criterion)
                                                      : time_in_stream(bench.launches, gpu, criterion);
    measured = summarized(timed.seconds, bench.operations, bench);
    measured.clock_mhz = timed.clock_mhz;
  }
  measured.wrong = std::move(wrong);
  return measured;
}

// After an illegal access or the like every call of the process fails.
bool is_device_usable() { return cudaDeviceSynchronize() == cudaSuccess && cudaGetLastError() == cudaSuccess; }

}  // namespace

Outcome measure_work(const Work& work, const Gpu& gpu, const Criterion& criterion) {
  try {
    const Prepare& prepare = all_benches().at(work.of->name);
    const Bench bench = prepare(work.state, work.plan, gpu);
    return measure_bench(bench, gpu, criterion);
  } catch (const Unsupported& unsupported) {
    return Skip{unsupported.what()};
  } catch (const std::bad_alloc&) {
    return Skip{"the host's memory is not enough"};
  } catch (const CudaError& error) {
    if (error.code() == cudaErrorMemoryAllocation && is_device_usable()) return Skip{error.what()};
    return Failure{error.what(), !is_device_usable()};
  } catch (const std::runtime_error& error) {
    return Failure{error.what(), !is_device_usable()};
  }
}

}  // namespace mlosim::measure
