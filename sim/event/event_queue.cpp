#include "sim/event/event_queue.hpp"

namespace mlosim::event {

void EventQueue::push_now(Time at, Phase phase, Wheel::Handle handle) {
  MLOSIM_CHECK(at == now_);
  lanes_[static_cast<unsigned>(phase)].handles.push_back(handle);
  lanes_in_use_ |= 1u << static_cast<unsigned>(phase);
}

// Moves the events of the next time, when the wheel gives one, into the lanes and makes it the current time.
Wheel::Found EventQueue::fill_lanes(Time limit) {
  std::uint64_t time = 0;
  std::vector<Wheel::Handle>& first = lanes_[0].handles;
  const Wheel::Found found = wheel_.take(static_cast<std::uint64_t>(limit.ps()), first, time);
  if (found == Wheel::Found::batch) {
    const Time at(static_cast<std::int64_t>(time));
    Wheel::Handle tags = 0;
    for (const Wheel::Handle handle : first) tags |= handle;
    if ((tags & kTagBits) == 0) {
      lanes_in_use_ = 1;
    } else {
      sort_into_lanes(at);
    }
    if (lanes_in_use_ != 0) now_ = at;
  } else if (wheel_.empty()) {
    // Disarmed timers may have drawn the wheel beyond the current time.
    wheel_.restart(static_cast<std::uint64_t>(now_.ps()));
  }
  return found;
}

void EventQueue::sort_into_lanes(Time at) {
  std::vector<Wheel::Handle>& first = lanes_[0].handles;
  std::size_t kept = 0;
  for (const Wheel::Handle handle : first) {
    if (!is_due(handle, at)) continue;
    const unsigned phase = static_cast<unsigned>(handle & kPhaseBits);
    lanes_in_use_ |= 1u << phase;
    if (phase == 0) {
      first[kept++] = handle;
    } else {
      lanes_[phase].handles.push_back(handle);
    }
  }
  first.resize(kept);
}

void EventQueue::skip_to(Time t) {
  MLOSIM_CHECK(t >= now_ && lanes_in_use_ == 0);
  now_ = t;
}

}  // namespace mlosim::event
