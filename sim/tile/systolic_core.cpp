#include "sim/tile/systolic_core.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "sim/event/fair_resource.hpp"
#include "sim/event/simulator.hpp"
#include "sim/tile/systolic_dma.hpp"
#include "sim/units/check.hpp"

namespace mlosim::tile {
namespace {

using event::Event;
using event::Simulator;
using event::Span;
using event::Time;

constexpr Span kSame(2);                  // turns that differ by less take the same time
constexpr std::int64_t kPlayedAtEnd = 2;  // turns after those that are counted: what is under way drains as it would

// A unit that works for a while and says so.
class Unit : Event {
 public:
  template <class Core>
  Unit(Core& core, void (*done)(Simulator&, Event&)) : Event(done), core_(&core) {}
  static Unit& of(Event& event) { return static_cast<Unit&>(event); }

  void work(Simulator& sim, Seconds time) { sim.schedule(*this, event::to_span_up(time)); }
  Event& event() { return *this; }
  template <class Core>
  Core& core() const {
    return *static_cast<Core*>(core_);
  }

 private:
  void* core_;
};

// One core that plays a grid.
class Core {
 public:
  Core(Simulator& sim, const SystolicMachine& machine, const SystolicGrid& grid, DmaBus& memory)
      : sim_(sim),
        machine_(machine),
        grid_(grid),
        dma_in_(memory, machine.in),
        dma_out_(memory, machine.out),
        arrived_(*this, &Core::arrived),
        written_(*this, &Core::written),
        scalar_(*this, &Core::set_up),
        arrays_(*this, &Core::computed),
        lanes_(*this, &Core::computed),
        permuter_(*this, &Core::computed),
        turns_(grid.turns) {
    for (std::int64_t i = 0; i < machine.buffers; ++i) fetch();
    start_step();
  }

  Span counted() const { return counted_; }  // time of the turns that were not played
  Time end() const { return end_; }

 private:
  // Where the core is in its grid, and where its prefetch is.
  struct Cursor {
    std::int64_t turn = 0;
    std::size_t run = 0;
    std::int64_t index = 0;
  };
  const SystolicStep& step_at(const Cursor& c) const { return grid_.runs[c.run].step; }
  // Whether the step was the last of its turn.
  bool advance(Cursor& c) const {
    if (++c.index < grid_.runs[c.run].count) return false;
    c.index = 0;
    if (++c.run < grid_.runs.size()) return false;
    c.run = 0;
    ++c.turn;
    return true;
  }

  // Asks for the blocks of the next step that has a free buffer.
  void fetch() {
    if (next_in_.turn >= turns_) return;
    const Bytes in = step_at(next_in_).in;
    advance(next_in_);
    if (in > Bytes(0)) {
      dma_in_.start(in, arrived_.event());
    } else {
      free_steps_.push_back(requested_);
    }
    ++requested_;
    settle_free_steps();
  }
  // Blocks that are there already have arrived once those asked for before them have.
  void settle_free_steps() {
    while (!free_steps_.empty() && free_steps_.front() == present_) {
      free_steps_.pop_front();
      ++present_;
    }
  }

  void start_step() {
    if (computing_ || at_.turn >= turns_ || present_ == computed_) return;
    if (writing_ >= machine_.buffers) return;  // the block of results to be filled is still on its way out
    computing_ = true;
    scalar_.work(sim_, machine_.cycles(step_at(at_).scalar));
  }
  void finish_step() {
    const SystolicStep& step = step_at(at_);
    computing_ = false;
    ++computed_;
    end_ = std::max(end_, sim_.now());
    if (step.out > Bytes(0)) {
      ++writing_;
      dma_out_.start(step.out, written_.event());
    }
    if (advance(at_)) end_turn();
    fetch();
    start_step();
  }

  // Leaves out turns that would only repeat the last one.
  void end_turn() {
    const Span length = sim_.now() - turn_began_;
    turn_began_ = sim_.now();
    const auto same = [&](Span other) { return length - other < kSame && other - length < kSame; };
    repeats_ = same(last_turn_) ? repeats_ + 1 : 0;
    last_turn_ = length;
    const std::int64_t left_out = turns_ - std::max(at_.turn, next_in_.turn) - kPlayedAtEnd;
    if (repeats_ < 2 || left_out <= 0) return;
    turns_ -= left_out;
    counted_ = counted_ + length * left_out;
  }

  static void arrived(Simulator&, Event& e) {
    Core& core = Unit::of(e).core<Core>();
    ++core.present_;
    core.settle_free_steps();
    core.start_step();
  }
  static void written(Simulator& sim, Event& e) {
    Core& core = Unit::of(e).core<Core>();
    --core.writing_;
    core.end_ = std::max(core.end_, sim.now());
    core.start_step();
  }
  static void set_up(Simulator& sim, Event& e) {
    Core& core = Unit::of(e).core<Core>();
    const SystolicStep& step = core.step_at(core.at_);
    core.busy_ = 3;
    core.arrays_.work(sim, core.machine_.cycles(step.matrix));
    core.lanes_.work(sim, core.machine_.cycles(step.vector));
    core.permuter_.work(sim, core.machine_.cycles(step.permute));
  }
  static void computed(Simulator&, Event& e) {
    Core& core = Unit::of(e).core<Core>();
    if (--core.busy_ == 0) core.finish_step();
  }

  Simulator& sim_;
  const SystolicMachine& machine_;
  const SystolicGrid& grid_;
  DmaEngine dma_in_, dma_out_;
  Unit arrived_, written_;
  Unit scalar_, arrays_, lanes_, permuter_;
  std::int64_t turns_;  // to play
  Cursor at_, next_in_;
  std::deque<std::int64_t> free_steps_;                      // that need no bytes, of those asked for
  std::int64_t requested_ = 0, present_ = 0, computed_ = 0;  // steps whose blocks …
  std::int64_t writing_ = 0;                                 // blocks of results on their way out
  int busy_ = 0;                                             // units at work on the step
  bool computing_ = false;
  Time turn_began_, end_;
  Span last_turn_, counted_;
  std::int64_t repeats_ = 0;
};

// An ICI engine that sends one transfer beside the grid.
class RemoteSend {
 public:
  RemoteSend(DmaBus& link, const RemoteTransfer& remote) : engine_(link, remote.link), sent_(*this, &RemoteSend::sent) {
    engine_.start(remote.bytes, sent_.event());
  }
  Time end() const { return end_; }

 private:
  static void sent(Simulator& sim, Event& e) { Unit::of(e).core<RemoteSend>().end_ = sim.now(); }

  DmaEngine engine_;
  Unit sent_;
  Time end_;
};

}  // namespace

// The chip: the device memory, and around it cores of two DMA engines, a scratchpad of `buffers` blocks, a scalar core,
// arrays, lanes and a permuter; links to other chips beside them.
GridPlay play_grid(const SystolicMachine& machine, const SystolicGrid& grid,
                   const std::optional<RemoteTransfer>& remote) {
  Simulator sim;
  DmaBus memory(sim, "device memory", machine.in);
  std::optional<DmaBus> link;
  if (remote) link.emplace(sim, "link", remote->link);
  std::vector<std::unique_ptr<Core>> cores;
  std::vector<std::unique_ptr<RemoteSend>> sends;
  for (std::int64_t i = 0; i < machine.cores; ++i) {
    cores.push_back(std::make_unique<Core>(sim, machine, grid, memory));
    if (remote) sends.push_back(std::make_unique<RemoteSend>(*link, *remote));
  }
  MLOSIM_CHECK(sim.run().empty());

  GridPlay play{.time = Seconds(0), .events = sim.event_count()};
  for (const auto& core : cores)
    play.time = std::max(play.time, event::to_seconds(core->end() - Time()) + event::to_seconds(core->counted()));
  for (const auto& send : sends) play.time = std::max(play.time, event::to_seconds(send->end() - Time()));
  return play;
}

}  // namespace mlosim::tile
