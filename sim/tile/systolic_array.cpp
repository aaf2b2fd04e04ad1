#include "sim/tile/systolic_array.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "sim/event/clock.hpp"
#include "sim/event/simulator.hpp"
#include "sim/units/check.hpp"

namespace mlosim::tile {
namespace {

constexpr double kRegisterRows = 8;  // rows that leave an array as one register of results
constexpr double kRounding = 1e-9;   // a quotient this little above a whole number is that number

double d(std::int64_t n) { return static_cast<double>(n); }

std::int64_t whole_up(double x) { return static_cast<std::int64_t>(std::ceil(x * (1 - kRounding))); }

double round_up(double x, double granule) { return std::ceil(x / granule) * granule; }

double last_result(const ArrayTiming& array, std::int64_t arrays) {
  const double latency = 2 * arrays > array.count && array.count > 1 ? array.far_result : array.near_result;
  return std::max(0.0, latency - kRegisterRows);
}

// Streams `rows` past `blocks` blocks of the stationary operand, for every k block.
struct Stream {
  double rows, blocks;
};

ArrayShare share_stream(const ArrayTiming& array, const MatrixBlock& block, const Stream& stream) {
  const double rate = block.rows_per_clk * array.efficiency;
  const double passes = std::ceil(block.k / d(array.rows)) * stream.blocks;
  const double granule = std::max(kRegisterRows, std::min(block.row_granule, d(array.rows)));
  ArrayShare best;
  double least = 0;
  const auto consider = [&](std::int64_t arrays, double own_passes, double rows) {
    const ArrayShare share{.arrays = arrays, .passes = whole_up(own_passes), .rows = whole_up(rows / rate)};
    const double clk = estimate_block(array, share);
    if (least > 0 && clk >= least) return;
    least = clk;
    best = share;
  };
  for (const std::int64_t arrays : {std::int64_t{1}, std::max<std::int64_t>(1, array.count / 2), array.count}) {
    consider(arrays, passes, round_up(stream.rows / d(arrays), granule));
    consider(arrays, passes / d(arrays), stream.rows);
  }
  return best;
}

// One array: weights shift in behind the rows that stream.
class Array {
 public:
  Array(event::Simulator& sim, const event::Clock& clock, const ArrayTiming& timing, const ArrayShare& share)
      : clock_(clock), timing_(timing), share_(share), streamed_(*this), loaded_(*this) {
    at(sim, timing.load, loaded_);
  }

  std::int64_t end() const { return end_; }

 private:
  struct Streamed : event::Event {
    explicit Streamed(Array& a) : Event(&fire), array(a) {}
    static void fire(event::Simulator& sim, Event& e) { static_cast<Streamed&>(e).array.finish_pass(sim); }
    Array& array;
  };
  struct Loaded : event::Event {
    explicit Loaded(Array& a) : Event(&fire), array(a) {}
    static void fire(event::Simulator& sim, Event& e) {
      Array& a = static_cast<Loaded&>(e).array;
      ++a.blocks_;
      a.start_pass(sim);
    }
    Array& array;
  };

  // After `clk` more cycles, on the clock's edge.
  void at(event::Simulator& sim, double clk, event::Event& event) {
    sim.schedule_at(event, clock_.edge(clock_.next_edge(sim.now()) + whole_up(clk)));
  }

  // The weights move from the shift register into the array, which frees it for those of the next pass.
  void start_pass(event::Simulator& sim) {
    if (streaming_ || blocks_ == started_) return;
    streaming_ = true;
    ++started_;
    at(sim, d(share_.rows), streamed_);
    if (started_ < share_.passes) at(sim, d(timing_.rows), loaded_);
  }
  void finish_pass(event::Simulator& sim) {
    streaming_ = false;
    end_ = clock_.next_edge(sim.now());
    start_pass(sim);
  }

  const event::Clock& clock_;
  const ArrayTiming& timing_;
  const ArrayShare& share_;
  Streamed streamed_;
  Loaded loaded_;
  std::int64_t blocks_ = 0;   // of weights that have been shifted in
  std::int64_t started_ = 0;  // passes
  std::int64_t end_ = 0;      // clk
  bool streaming_ = false;
};

}  // namespace

ArrayShare share_out(const ArrayTiming& array, const MatrixBlock& block) {
  const double m = round_up(block.m, std::min(block.row_granule, d(array.rows)));
  const double n = round_up(block.n, d(array.cols));
  const ArrayShare weights_stay = share_stream(array, block, {m, n / d(array.cols)});
  const ArrayShare rows_stay = share_stream(array, block, {n, std::ceil(m / d(array.cols))});
  return estimate_block(array, rows_stay) < estimate_block(array, weights_stay) ? rows_stay : weights_stay;
}

double estimate_block(const ArrayTiming& array, const ArrayShare& share) {
  const double rows = d(share.rows);
  return array.load + rows + d(share.passes - 1) * std::max(rows, d(array.rows)) + last_result(array, share.arrays);
}

double play_block(const SystolicMachine& machine, const ArrayShare& share) {
  event::Simulator sim;
  const event::Clock clock = event::Clock::from(machine.clock);
  std::vector<std::unique_ptr<Array>> arrays;
  for (std::int64_t i = 0; i < share.arrays; ++i)
    arrays.push_back(std::make_unique<Array>(sim, clock, machine.array, share));
  MLOSIM_CHECK(sim.run().empty());
  std::int64_t end = 0;
  for (const auto& array : arrays) end = std::max(end, array->end());
  return d(end) + last_result(machine.array, share.arrays);
}

}  // namespace mlosim::tile
