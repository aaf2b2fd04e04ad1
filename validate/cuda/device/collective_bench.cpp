// Device half of collective.nccl: one thread a GPU, as a framework has one process a GPU.
#ifdef MEASURE_HAVE_NCCL

#include <cuda_bf16.h>
#include <nccl.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <exception>
#include <sstream>
#include <thread>

#include "validate/cuda/cases/benches.hpp"
#include "validate/cuda/device/cuda_check.hpp"
#include "validate/cuda/device/event.hpp"
#include "validate/cuda/device/random_numbers.hpp"
#include "validate/cuda/kernels/hash.cuh"
#include "validate/cuda/operation/collective_shape.hpp"

namespace mlosim::measure {
namespace {

constexpr std::size_t kElementBytes = sizeof(__nv_bfloat16);
constexpr double kSampleSeconds = 5e-3;
constexpr int kFewestRepeats = 3, kMostRepeats = 1000;
constexpr int kCheckedElements = 64;  // of each rank

void check_nccl(ncclResult_t result, const char* call, const char* file, int line) {
  if (result == ncclSuccess) return;
  const std::string named = std::string(call) + " [" + ncclGetErrorString(result) + "]";
  throw CudaError(cudaErrorUnknown, named.c_str(), file, line);
}

#define MEASURE_NCCL(call) check_nccl((call), #call, __FILE__, __LINE__)

// The current device while it lives.
class DeviceScope {
 public:
  explicit DeviceScope(int ordinal) {
    MEASURE_CUDA(cudaGetDevice(&before_));
    MEASURE_CUDA(cudaSetDevice(ordinal));
  }
  ~DeviceScope() { cudaSetDevice(before_); }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int before_ = 0;
};

class Rank {
 public:
  Rank(int number, const CollectiveShape& shape) : number_(number), shape_(shape) {
    const DeviceScope scope(number);
    MEASURE_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    send_ = make_buffer(static_cast<std::size_t>(shape.send_bytes()));
    receive_ = make_buffer(static_cast<std::size_t>(shape.receive_bytes()));
    fill_small_integers(*send_, static_cast<std::uint64_t>(number), stream_);
    MEASURE_CUDA(cudaMemsetAsync(receive_->data(), 0xff, receive_->bytes(), stream_));
    MEASURE_CUDA(cudaStreamSynchronize(stream_));
  }
  ~Rank() {
    const DeviceScope scope(number_);
    if (communicator_ != nullptr) ncclCommDestroy(communicator_);
    cudaStreamDestroy(stream_);
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;

  int number() const { return number_; }
  cudaStream_t stream() const { return stream_; }
  void join(ncclComm_t communicator) { communicator_ = communicator; }
  const __nv_bfloat16* received() const { return receive_->as<__nv_bfloat16>(); }

  void enqueue() const;

 private:
  void exchange_all() const;
  void shift() const;

  int number_;
  CollectiveShape shape_;
  ncclComm_t communicator_ = nullptr;
  cudaStream_t stream_ = nullptr;
  std::shared_ptr<DeviceBuffer> send_, receive_;
};

void Rank::enqueue() const {
  const void* from = send_->data();
  void* to = receive_->data();
  const std::size_t sent = send_->bytes() / kElementBytes, received = receive_->bytes() / kElementBytes;
  switch (shape_.kind) {
    case CollectiveKind::all_reduce:
      return MEASURE_NCCL(ncclAllReduce(from, to, sent, ncclBfloat16, ncclSum, communicator_, stream_));
    case CollectiveKind::all_gather:
      return MEASURE_NCCL(ncclAllGather(from, to, sent, ncclBfloat16, communicator_, stream_));
    case CollectiveKind::reduce_scatter:
      return MEASURE_NCCL(ncclReduceScatter(from, to, received, ncclBfloat16, ncclSum, communicator_, stream_));
    case CollectiveKind::alltoall:
      return exchange_all();
    case CollectiveKind::send_recv:
      return shift();
  }
}

void Rank::exchange_all() const {
  const std::size_t share = send_->bytes() / kElementBytes / static_cast<std::size_t>(shape_.ranks);
  MEASURE_NCCL(ncclGroupStart());
  for (int peer = 0; peer < shape_.ranks; ++peer) {
    const std::size_t at = share * static_cast<std::size_t>(peer);
    MEASURE_NCCL(ncclSend(send_->as<__nv_bfloat16>() + at, share, ncclBfloat16, peer, communicator_, stream_));
    MEASURE_NCCL(ncclRecv(receive_->as<__nv_bfloat16>() + at, share, ncclBfloat16, peer, communicator_, stream_));
  }
  MEASURE_NCCL(ncclGroupEnd());
}

void Rank::shift() const {
  const std::size_t count = send_->bytes() / kElementBytes;
  const int next = (number_ + 1) % shape_.ranks, before = (number_ + shape_.ranks - 1) % shape_.ranks;
  MEASURE_NCCL(ncclGroupStart());
  MEASURE_NCCL(ncclSend(send_->data(), count, ncclBfloat16, next, communicator_, stream_));
  MEASURE_NCCL(ncclRecv(receive_->data(), count, ncclBfloat16, before, communicator_, stream_));
  MEASURE_NCCL(ncclGroupEnd());
}

// What rank `rank` must find at `place`: numbers of other ranks' buffers are made again from their seeds.
double expected_at(const CollectiveShape& shape, int rank, std::size_t place) {
  const std::size_t send_share = static_cast<std::size_t>(shape.bytes) / kElementBytes / shape.ranks;
  const auto number = [](int of, std::size_t at) { return double(small_integer(static_cast<std::uint64_t>(of), at)); };
  switch (shape.kind) {
    case CollectiveKind::all_gather:
      return number(static_cast<int>(place / send_share), place % send_share);
    case CollectiveKind::alltoall:
      return number(static_cast<int>(place / send_share), send_share * rank + place % send_share);
    case CollectiveKind::send_recv:
      return number((rank + shape.ranks - 1) % shape.ranks, place);
    case CollectiveKind::all_reduce:
    case CollectiveKind::reduce_scatter:
      break;
  }
  const std::size_t at = shape.kind == CollectiveKind::all_reduce ? place : send_share * rank + place;
  double sum = 0;
  for (int of = 0; of < shape.ranks; ++of) sum += number(of, at);
  return sum;
}

class Collective {
 public:
  explicit Collective(const CollectiveShape& shape);

  std::string check() const;
  Measurement measure(const Criterion& criterion) const;
  const CollectiveShape& shape() const { return shape_; }

 private:
  // Each rank's thread does `work` with that rank's device current; the first error of any is thrown here.
  void on_every_rank(const std::function<void(const Rank&)>& work) const;
  double sample(int repeats) const;

  CollectiveShape shape_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

Collective::Collective(const CollectiveShape& shape) : shape_(shape) {
  const DeviceScope scope(0);
  for (int number = 0; number < shape.ranks; ++number) ranks_.push_back(std::make_unique<Rank>(number, shape));
  std::vector<ncclComm_t> communicators(ranks_.size());
  MEASURE_NCCL(ncclCommInitAll(communicators.data(), shape.ranks, nullptr));  // rank i on device i
  for (std::size_t i = 0; i < ranks_.size(); ++i) ranks_[i]->join(communicators[i]);
}

void Collective::on_every_rank(const std::function<void(const Rank&)>& work) const {
  std::vector<std::exception_ptr> errors(ranks_.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < ranks_.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        MEASURE_CUDA(cudaSetDevice(ranks_[i]->number()));
        work(*ranks_[i]);
        MEASURE_CUDA(cudaStreamSynchronize(ranks_[i]->stream()));
      } catch (...) {
        errors[i] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

// Seconds of one operation: that of the slowest rank. Two operations ahead of the clock bring the ranks into step.
double Collective::sample(int repeats) const {
  std::vector<double> seconds(ranks_.size());
  std::barrier ready(static_cast<std::ptrdiff_t>(ranks_.size()));
  on_every_rank([&](const Rank& rank) {
    ready.arrive_and_wait();  // first of all: a rank that fails behind it keeps no other waiting here
    Event before, after;
    for (int i = 0; i < 2; ++i) rank.enqueue();
    before.record(rank.stream());
    for (int i = 0; i < repeats; ++i) rank.enqueue();
    after.record(rank.stream());
    after.wait();
    seconds[static_cast<std::size_t>(rank.number())] = after.seconds_since(before) / repeats;
  });
  return *std::max_element(seconds.begin(), seconds.end());
}

std::string Collective::check() const {
  on_every_rank([](const Rank& rank) { rank.enqueue(); });
  const std::size_t elements = static_cast<std::size_t>(shape_.receive_bytes()) / kElementBytes;
  for (const auto& rank : ranks_)
    for (int i = 0; i < kCheckedElements; ++i) {
      const std::size_t place = hash_of(3, static_cast<std::uint64_t>(i)) % elements;
      __nv_bfloat16 found = {};
      MEASURE_CUDA(cudaMemcpy(&found, rank->received() + place, sizeof found, cudaMemcpyDeviceToHost));
      const double expected = expected_at(shape_, rank->number(), place);
      if (double(__bfloat162float(found)) == expected) continue;
      std::ostringstream text;
      text << "rank " << rank->number() << " has " << __bfloat162float(found) << " at " << place << " instead of "
           << expected;
      return text.str();
    }
  return "";
}

Measurement Collective::measure(const Criterion& criterion) const {
  sample(kFewestRepeats);  // warm: connections are made by the first use
  const double once = sample(kFewestRepeats);
  const int repeats = static_cast<int>(std::clamp(kSampleSeconds / once, double(kFewestRepeats), double(kMostRepeats)));
  Measurement measurement;
  const auto begin = std::chrono::steady_clock::now();
  do {
    measurement.seconds.push_back(sample(repeats));
  } while (!is_settled(measurement.seconds, std::chrono::steady_clock::now() - begin, criterion));
  return measurement;
}

std::string library() {
  int version = 0;
  MEASURE_NCCL(ncclGetVersion(&version));  // major * 10000 + minor * 100 + patch since 2.9
  return "NCCL " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace

Bench prepare_collective(const State&, const Plan& plan, const Gpu&) {
  const auto collective = std::make_shared<Collective>(collective_shape_of(plan.identity));
  Bench bench;
  bench.timing = Timing::self;
  bench.check = [collective] { return collective->check(); };
  bench.measure = [collective](const Criterion& criterion) { return collective->measure(criterion); };
  bench.results = [collective](Seconds time) -> Cells {
    const CollectiveShape& shape = collective->shape();
    return {number_cell("bus_gb_per_s", static_cast<double>(shape.bytes) * bus_factor(shape) / time.count() / 1e9)};
  };
  bench.library = library();
  return bench;
}

}  // namespace mlosim::measure

#endif  // MEASURE_HAVE_NCCL
