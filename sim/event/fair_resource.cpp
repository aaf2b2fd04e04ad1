#include "sim/event/fair_resource.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace mlosim::event {
namespace {
bool is_rate(BytesPerSecond rate) { return rate.si() >= 0 && std::isfinite(rate.si()); }
}  // namespace

FairResource::FairResource(Simulator& sim, Spec spec)
    : sim_(sim), spec_(std::move(spec)), wake_(*this), moment_(fluid::parts_of(sim.now())) {
  MLOSIM_CHECK(is_rate(spec_.rate) && spec_.latency >= Span());
  MLOSIM_CHECK(!spec_.flow_cap || (is_rate(*spec_.flow_cap) && spec_.flow_cap->si() > 0));
}

void FairResource::start(Bytes bytes, Event& done, double weight) {
  MLOSIM_CHECK(bytes.si() >= 0 && weight > 0);
  move_to_now();
  flows_.push_back({.end = virtual_ + fluid::rounded(bytes.si() / weight * fluid::kParts),
                    .sequence = started_++,
                    .done = &done,
                    .weight = weight,
                    .bytes = bytes,
                    .arrived = sim_.now()});
  std::push_heap(flows_.begin(), flows_.end(), std::greater<>());
  weights_ += weight;
  move_to_now();
  arm();
}

void FairResource::set_rate(BytesPerSecond rate) {
  MLOSIM_CHECK(is_rate(rate));
  move_to_now();
  spec_.rate = rate;
  arm();
}

void FairResource::Wake::wake(Simulator&, Event& event) {
  FairResource& resource = static_cast<Wake&>(event).resource;
  resource.move_to_now();
  resource.arm();
}

// Virtual time per time, in bytes per picosecond. Both are counted in 2^-32 of their unit.
double FairResource::speed() const {
  BytesPerSecond share = spec_.rate / weights_;
  if (spec_.flow_cap) share = std::min(share, *spec_.flow_cap);
  return share.si() / static_cast<double>(kPicosecondsPerSecond);
}

// Requires: a flow that ends at the present speed.
fluid::Wide FairResource::end_of_first() const {
  const fluid::Wide left = std::max<fluid::Wide>(flows_.front().end - virtual_, 0);
  return moment_ + (left == 0 ? 0 : fluid::rounded(static_cast<double>(left) / speed()));
}

void FairResource::move_to_now() {
  const fluid::Wide now = fluid::parts_of(sim_.now());
  while (!flows_.empty() && (speed() > 0 || flows_.front().end <= virtual_)) {
    const fluid::Wide end = end_of_first();
    if (fluid::round_up(end) > sim_.now()) break;
    end_first(std::min(end, now));
  }
  if (!flows_.empty()) virtual_ += fluid::rounded(static_cast<double>(now - moment_) * speed());
  moment_ = now;
}

void FairResource::end_first(fluid::Wide at) {
  std::pop_heap(flows_.begin(), flows_.end(), std::greater<>());
  const Flow flow = flows_.back();
  flows_.pop_back();
  moment_ = at;
  virtual_ = flow.end;
  weights_ = flows_.empty() ? 0 : weights_ - flow.weight;
  const Time finished = sim_.now() + spec_.latency;
  sim_.schedule_at(*flow.done, finished);
  transfer_facts_.emit([&] {
    return TransferFact{.resource = spec_.name,
                        .bytes = flow.bytes,
                        .arrived = flow.arrived,
                        .started = flow.arrived,
                        .finished = finished};
  });
}

void FairResource::arm() {
  if (flows_.empty() || speed() <= 0) {
    wake_.disarm();
    return;
  }
  const Time at = fluid::round_up(end_of_first());
  if (wake_.due() != at) wake_.arm(sim_, at);
}

}  // namespace mlosim::event
