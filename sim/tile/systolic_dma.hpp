// DMA engines and the memory or link that they share. An engine moves its transfers one after another; those of
// different engines share the bus at every moment. A transfer's latency comes after its bytes and holds nothing, so
// that a queue waits for it once.
#pragma once

#include <deque>
#include <string>

#include "sim/event/fair_resource.hpp"
#include "sim/event/simulator.hpp"
#include "sim/tile/systolic_machine.hpp"

namespace mlosim::tile {

// What the engines of a path share; its rates are those of `path`, and paths of other rates over it are scaled to them.
class DmaBus {
 public:
  DmaBus(event::Simulator& sim, std::string name, const DmaPath& path)
      : path_(path), bytes_(sim, {.name = std::move(name), .rate = path.chip, .flow_cap = path.core}) {}

  const DmaPath& path() const { return path_; }
  event::FairResource& bytes() { return bytes_; }

 private:
  DmaPath path_;
  event::FairResource bytes_;
};

class DmaEngine {
 public:
  DmaEngine(DmaBus& bus, const DmaPath& path);
  DmaEngine(const DmaEngine&) = delete;
  DmaEngine& operator=(const DmaEngine&) = delete;

  // Queues the transfer and fires `done` when it has arrived. Arrivals keep the order of the calls.
  void start(Bytes bytes, event::Event& done);

 private:
  struct Moved : event::Event {
    explicit Moved(DmaEngine& e) : Event(&fire), engine(e) {}
    static void fire(event::Simulator& sim, Event& event);
    DmaEngine& engine;
  };
  struct Transfer {
    Bytes bytes;
    event::Event* done;
  };

  void move_next();

  DmaBus& bus_;
  event::Span latency_;
  double scale_, weight_;  // bytes and share of the bus that a byte of this path takes
  Moved moved_;
  std::deque<Transfer> queue_;  // the first is under way
};

// `window` transfers that `cores` engines each have queued at once on a path that they share: the time until the last
// has been waited for.
Seconds play_transfers(const DmaPath& path, std::int64_t cores, std::int64_t window, Bytes bytes);

}  // namespace mlosim::tile
