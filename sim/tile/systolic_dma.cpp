#include "sim/tile/systolic_dma.hpp"

#include <memory>
#include <vector>

#include "sim/units/check.hpp"

namespace mlosim::tile {

// With bytes scaled by s and weight w, one engine moves w·core/s and all together chip/s of the bus's own rates.
DmaEngine::DmaEngine(DmaBus& bus, const DmaPath& path)
    : bus_(bus),
      latency_(event::to_span_up(path.latency)),
      scale_(bus.path().chip / path.chip),
      weight_(scale_ * (path.core / bus.path().core)),
      moved_(*this) {}

void DmaEngine::start(Bytes bytes, event::Event& done) {
  queue_.push_back({bytes, &done});
  if (queue_.size() == 1) move_next();
}

void DmaEngine::move_next() { bus_.bytes().start(queue_.front().bytes * scale_, moved_, weight_); }

void DmaEngine::Moved::fire(event::Simulator& sim, Event& event) {
  DmaEngine& engine = static_cast<Moved&>(event).engine;
  sim.schedule(*engine.queue_.front().done, engine.latency_);
  engine.queue_.pop_front();
  if (!engine.queue_.empty()) engine.move_next();
}

namespace {

// Remembers when the last of its events fired.
struct LastArrival : event::Event {
  LastArrival() : Event(&fire) {}
  static void fire(event::Simulator& sim, Event& event) { static_cast<LastArrival&>(event).at = sim.now(); }
  event::Time at;
};

}  // namespace

Seconds play_transfers(const DmaPath& path, std::int64_t cores, std::int64_t window, Bytes bytes) {
  event::Simulator sim;
  DmaBus bus(sim, "bus", path);
  LastArrival last;
  std::vector<std::unique_ptr<DmaEngine>> engines;
  for (std::int64_t core = 0; core < cores; ++core) {
    engines.push_back(std::make_unique<DmaEngine>(bus, path));
    for (std::int64_t i = 0; i < window; ++i) engines.back()->start(bytes, last);
  }
  MLOSIM_CHECK(sim.run().empty());
  return event::to_seconds(last.at - event::Time());
}

}  // namespace mlosim::tile
