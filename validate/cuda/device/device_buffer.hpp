// Device memory that frees itself, and random data to fill it with. Needs the CUDA runtime's header.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace mlosim::measure {

class DeviceBuffer {
 public:
  // Throws CudaError (cudaErrorMemoryAllocation where there is no room).
  explicit DeviceBuffer(std::size_t bytes);
  ~DeviceBuffer();
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  template <typename T>
  T* as() const {
    return static_cast<T*>(pointer_);
  }
  void* data() const { return pointer_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* pointer_ = nullptr;
  std::size_t bytes_ = 0;
};

// For capture in a Launch.
std::shared_ptr<DeviceBuffer> make_buffer(std::size_t bytes);

// Every bit random (a hash of seed and place), so that no compression or data-dependent power shows. As floats the bits
// hold infinities and NaNs: numbers for arithmetic need their own fill.
void fill_random_bits(const DeviceBuffer& buffer, std::uint64_t seed, cudaStream_t stream);

// Whether this build has kernels for the current device: cudaErrorNoKernelImageForDevice where it has none.
cudaError_t probe_kernels();

}  // namespace mlosim::measure
