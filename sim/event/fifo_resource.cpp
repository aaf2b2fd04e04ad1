#include "sim/event/fifo_resource.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace mlosim::event {

FifoResource::FifoResource(Simulator& sim, Spec spec) : sim_(sim), spec_(std::move(spec)) {
  MLOSIM_CHECK(spec_.latency >= Span() && spec_.servers >= 1);
  set_rate(spec_.rate);
  free_at_.resize(static_cast<std::size_t>(spec_.servers), fluid::parts_of(sim.now()));
}

void FifoResource::set_rate(BytesPerSecond rate) {
  MLOSIM_CHECK(rate.si() > 0 && std::isfinite(rate.si()));
  spec_.rate = rate;
}

Time FifoResource::start(Bytes bytes, Event& done) {
  MLOSIM_CHECK(bytes.si() >= 0);
  const Time now = sim_.now();
  std::pop_heap(free_at_.begin(), free_at_.end(), std::greater<>());
  const fluid::Wide begin = std::max(free_at_.back(), fluid::parts_of(now));
  const Seconds service = bytes / spec_.rate;
  const fluid::Wide served =
      begin + fluid::rounded(service.si() * static_cast<double>(kPicosecondsPerSecond) * fluid::kParts);
  free_at_.back() = served;
  std::push_heap(free_at_.begin(), free_at_.end(), std::greater<>());

  const Time started = fluid::round_up(begin);
  const Time finished = fluid::round_up(served) + spec_.latency;
  sim_.schedule_at(done, finished);
  if (started > now) {
    stall_facts_.emit(
        [&] { return StallFact{.who = spec_.name, .reason = spec_.when_busy, .from = now, .until = started}; });
  }
  transfer_facts_.emit([&] {
    return TransferFact{
        .resource = spec_.name, .bytes = bytes, .arrived = now, .started = started, .finished = finished};
  });
  return finished;
}

}  // namespace mlosim::event
