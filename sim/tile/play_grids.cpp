#include "sim/tile/play_grids.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <optional>

#include "sim/event/simulator.hpp"
#include "sim/tile/friction.hpp"
#include "sim/tile/launch_order.hpp"
#include "sim/tile/simt_chip.hpp"
#include "sim/tile/slices.hpp"
#include "sim/units/check.hpp"

namespace mlosim::tile {
namespace {

class Player;

struct GridState : event::Event {
  GridState(Player& player_, const Grid& grid_, std::size_t stream_, std::size_t place_);
  static void start(event::Simulator&, event::Event&);

  Player& player;
  const Grid& grid;
  std::size_t stream, place;
  GridRun run;
  int room = 0;         // of a unit, that one CTA takes
  double together = 1;  // CTAs that a unit holds while there are enough
  std::size_t next = 0;
  std::size_t under_way = 0;
  double begun = 0, ended = 0;
  std::optional<Friction> friction;
  std::array<std::vector<Slice>, kOperands> slices;
  std::vector<int> on_group;  // its CTAs that run on each group of units
  std::vector<bool> has_run;  // whether a group has run one of its CTAs
};

// When the operands of a step are there, and by how much the imperfect overlap with what shares its unit stretches it.
struct Operands {
  double at = 0;
  double friction = 1;
};

enum class CtaStage { prologue, steps, end };

// A CTA under way; fires as its prologue is over, as each step is done, and as its place is free for the next.
struct CtaState : event::Event {
  explicit CtaState(Player& player_) : Event(&advance), player(player_) {}
  static void advance(event::Simulator&, event::Event&);

  Player& player;
  GridState* grid = nullptr;
  std::size_t cta = 0, group = 0;
  std::uint32_t step = 0, asked = 0;  // steps that are done; whose operands have been requested
  double begun = 0;                   // of its first step
  CtaStage stage = CtaStage::prologue;
  std::array<Operands, kMostAhead + 1> operands;  // of step s: operands[s % operands.size()]
};

double as_seconds(event::Time t) { return static_cast<double>(t.ps()) * 1e-12; }

class Player {
 public:
  Player(const spec::ChipSpec& spec, const std::vector<GridStream>& streams) : chip_(build_simt_chip(spec)) {
    std::vector<GridState*> first;
    for (std::size_t s = 0; s < streams.size(); ++s) {
      queued_.emplace_back();
      for (std::size_t i = 0; i < streams[s].size(); ++i) {
        queued_.back().push_back(&grids_.emplace_back(*this, *streams[s][i], s, i));
      }
      if (!queued_.back().empty()) first.push_back(queued_.back().front());
    }
    std::stable_sort(first.begin(), first.end(),
                     [](const GridState* a, const GridState* b) { return goes_before(a->grid, b->grid); });
    for (GridState* grid : first) launch(*grid, 0);
  }

  PlayedGrids run() {
    const event::StallReport stall = sim_.run();
    MLOSIM_CHECK(stall.empty());
    PlayedGrids played;
    played.events = sim_.event_count();
    for (const auto& stream : queued_) {
      played.runs.emplace_back();
      for (const GridState* grid : stream) {
        played.runs.back().push_back(close(*grid));
        played.makespan = std::max(played.makespan, played.runs.back().back().end);
      }
    }
    return played;
  }

  void start(GridState& grid) {
    waiting_.push_back(&grid);
    if (waiting_.size() == 1) fill(grid);
  }

  void advance(CtaState& cta) {
    const double now = as_seconds(sim_.now());
    switch (cta.stage) {
      case CtaStage::prologue:
        cta.stage = CtaStage::steps;
        cta.begun = now;
        ask(cta, now);
        return step(cta, now);
      case CtaStage::steps:
        if (++cta.step == cta.grid->grid.ctas[cta.cta].steps) return store(cta, now);
        return step(cta, now);
      case CtaStage::end:
        return release(cta);
    }
  }

  std::size_t groups_of(const Grid& grid) const {
    return chip_.units.size() / static_cast<std::size_t>(grid.units_per_cta);
  }

  const SimtChip& chip() const { return chip_; }

 private:
  static const CtaKind& kind_of(const CtaState& cta) {
    const Grid& grid = cta.grid->grid;
    return grid.kinds[grid.ctas[cta.cta].kind];
  }

  template <class Visit>
  void each_unit(const GridState& grid, std::size_t group, Visit visit) {
    const auto units = static_cast<std::size_t>(grid.grid.units_per_cta);
    for (std::size_t u = group * units; u < (group + 1) * units; ++u) visit(chip_.units[u]);
  }

  void launch(GridState& grid, double at) {
    grid.run.start = Seconds(at);
    grid.begun = at + grid.grid.fixed.si();
    grid.ended = grid.begun;
    sim_.schedule_at(grid, event::Time() + event::to_span_up(Seconds(grid.begun)));
  }

  int room_of(const GridState& grid, std::size_t group) {
    int room = Unit::kRoom;
    each_unit(grid, group, [&](const Unit& unit) { room = std::min(room, unit.room); });
    return room;
  }

  // Dispatches to the units with most room, one CTA each, until none has enough.
  void fill(GridState& grid) {
    while (grid.next < grid.grid.ctas.size()) {
      int most = 0;
      const std::size_t groups = groups_of(grid.grid);
      for (std::size_t g = 0; g < groups; ++g) most = std::max(most, room_of(grid, g));
      if (most < grid.room) return;
      for (std::size_t g = 0; g < groups && grid.next < grid.grid.ctas.size(); ++g) {
        if (room_of(grid, g) == most) place(grid, g);
      }
    }
    waiting_.pop_front();
    if (!waiting_.empty()) fill(*waiting_.front());
  }

  // The CTA's place is free: who is first in line gets it, and the next in line when the first has no CTAs left.
  void refill(const CtaState& ended) {
    if (waiting_.empty()) return;
    const auto units = static_cast<std::size_t>(ended.grid->grid.units_per_cta);
    const std::size_t first = ended.group * units, last = first + units - 1;
    GridState& grid = *waiting_.front();
    const auto per_cta = static_cast<std::size_t>(grid.grid.units_per_cta);
    const std::size_t groups = groups_of(grid.grid);
    for (std::size_t g = first / per_cta; g <= last / per_cta && g < groups; ++g) {
      while (grid.next < grid.grid.ctas.size() && room_of(grid, g) >= grid.room) place(grid, g);
    }
    if (grid.next < grid.grid.ctas.size()) return;
    waiting_.pop_front();
    if (!waiting_.empty()) fill(*waiting_.front());
  }

  void place(GridState& grid, std::size_t group) {
    CtaState* cta = nullptr;
    if (free_.empty()) {
      cta = &ctas_.emplace_back(*this);
    } else {
      cta = free_.back();
      free_.pop_back();
    }
    each_unit(grid, group, [&](Unit& unit) { unit.room -= grid.room; });
    const double now = as_seconds(sim_.now());
    cta->grid = &grid;
    cta->cta = grid.next++;
    cta->group = group;
    cta->step = cta->asked = 0;
    cta->stage = CtaStage::prologue;
    ++grid.under_way;
    ++grid.on_group[group];
    const double prologue = kind_of(*cta).prologue.si() * (grid.has_run[group] ? grid.grid.exposed_ends : 1);
    grid.has_run[group] = true;
    grid.run.slots.fill += Seconds(prologue);
    wake(*cta, now + prologue);
  }

  void step(CtaState& cta, double at) {
    GridState& grid = *cta.grid;
    const CtaKind& kind = kind_of(cta);
    constexpr int kAtOnce = 2;  // so that CTAs that start together get their first operands in turn
    for (int i = 0; i < kAtOnce && cta.asked <= cta.step + grid.grid.ahead; ++i) ask(cta, at);
    const Operands current = cta.operands[cta.step % cta.operands.size()];
    double begin = at;
    each_unit(grid, cta.group, [&](const Unit& unit) { begin = std::max(begin, unit.multipliers.free_at); });
    const double multiply = kind.multiply.si() * current.friction, wait = kind.wait.si() * current.friction;
    each_unit(grid, cta.group, [&](Unit& unit) { unit.multipliers.hold(begin, multiply); });
    const double paced =
        std::max(begin + multiply, grid.grid.keeps_time ? cta.begun + (cta.step + 1) * wait : begin + wait);
    double done = std::max(paced, current.at);
    if (kind.links > Seconds(0)) done = std::max(done, chip_.links.hold(at, kind.links.si()));
    SlotTime& slots = grid.run.slots;
    slots.load += Seconds(done - paced);
    (multiply >= wait ? slots.compute : slots.latency) += Seconds(paced - at);
    grid.run.multiplying += Seconds(multiply) * static_cast<double>(grid.grid.units_per_cta);
    wake(cta, done);
  }

  void wake(CtaState& cta, double at) {
    sim_.schedule_at(cta, std::max(sim_.now(), event::Time() + event::to_span_up(Seconds(at))));
  }

  void ask(CtaState& cta, double at) {
    if (cta.asked == cta.grid->grid.ctas[cta.cta].steps) return;
    cta.operands[cta.asked % cta.operands.size()] = request(cta, cta.asked, at);
    ++cta.asked;
  }

  // Asks for the operands of a step.
  Operands request(CtaState& cta, std::uint32_t step, double at) {
    GridState& grid = *cta.grid;
    const Grid& plan = grid.grid;
    const Cta& what = plan.ctas[cta.cta];
    const CtaKind& kind = plan.kinds[what.kind];
    const auto units = static_cast<double>(plan.units_per_cta);
    double loaded = 0, crossed = 0, waited = 0, arrival = at;
    std::array<Found, kOperands> found{};
    std::array<Slice*, kOperands> slices{};
    for (std::size_t o = 0; o < kOperands; ++o) {
      const double load = kind.load[o].si();
      if (load <= 0) continue;
      double latency = chip_.levels.front().latency;
      if (what.panel[o] != kNoPanel) {
        const Operand& operand = plan.operands[o];
        Slice& slice = grid.slices[o][std::size_t{what.panel[o]} * operand.slices + what.first_slice + step];
        if (slice.touched >= 0) arrival = std::max(arrival, slice.there_at);
        found[o] = slices_.find(chip_, plan, operand, slice);
        latency = found[o].latency;
        slices[o] = &slice;
      }
      loaded += load;
      crossed += load * kind.cache_share[o] * units;
      waited += load * latency;
    }
    if (loaded <= 0) return {at, grid.friction->of(kind, 0)};
    const double latency = waited / loaded;
    const double rate = std::min(plan.load_rate.si(), grid.on_group[cta.group] * plan.in_flight.si() / latency);
    const double longer = grid.friction->of(kind, loaded / rate);
    each_unit(grid, cta.group,
              [&](Unit& unit) { arrival = std::max(arrival, unit.loads.hold(at, loaded / rate * longer)); });
    grid.run.cache_bytes += Bytes(crossed);
    arrival = std::max(arrival, chip_.levels.front().pass(at, crossed, plan.cache_efficiency / longer));
    for (std::size_t o = 0; o < kOperands; ++o) {
      if (slices[o] == nullptr) continue;
      const double bytes = plan.operands[o].slice.si();
      double there = at;
      for (std::size_t l = 1; l + 1 < chip_.levels.size() && !found[o].is_near; ++l)
        there = chip_.levels[l].pass(at, bytes, 1 / longer);
      if (found[o].missing > 0) {
        there = std::max(there, chip_.memory().pass(at, bytes * found[o].missing, plan.memory_efficiency / longer));
        grid.run.device_read += Bytes(bytes * found[o].missing);
        slices[o]->there_at = there;
      }
      grid.run.found += kind.load[o] * kind.cache_share[o] * units * (1 - found[o].missing);
      arrival = std::max(arrival, there);
    }
    return {arrival, longer};
  }

  void store(CtaState& cta, double at) {
    GridState& grid = *cta.grid;
    const CtaKind& kind = kind_of(cta);
    const double bytes = kind.store.si(), all = bytes * static_cast<double>(grid.grid.units_per_cta);
    double end = at;
    if (bytes > 0) {
      // A CTA has its share of the unit's store port: those of a wave end together, and its own warps set its pace
      // later.
      end = at + bytes * grid.together / grid.grid.store_rate.si();
      end = std::max(end, chip_.levels.front().pass(at, all, grid.grid.cache_efficiency));
      const double written = all * kind.store_missing;
      if (written > 0) end = std::max(end, chip_.memory().pass(at, written, grid.grid.memory_efficiency));
      grid.run.cache_bytes += Bytes(all);
      grid.run.device_written += Bytes(written);
    }
    end += kind.epilogue.si();
    grid.ended = std::max(grid.ended, end);
    const double freed = at + (end - at) * grid.grid.exposed_ends;
    grid.run.slots.store += Seconds(freed - at);
    cta.stage = CtaStage::end;
    wake(cta, freed);
  }

  void release(CtaState& cta) {
    GridState& grid = *cta.grid;
    each_unit(grid, cta.group, [&](Unit& unit) { unit.room += grid.room; });
    --grid.on_group[cta.group];
    --grid.under_way;
    refill(cta);
    free_.push_back(&cta);
    if (grid.under_way > 0 || grid.next < grid.grid.ctas.size()) return;
    grid.ended += grid.grid.straggle.si();
    finish(grid);
  }

  void finish(const GridState& grid) {
    const auto& stream = queued_[grid.stream];
    if (grid.place + 1 < stream.size()) launch(*stream[grid.place + 1], grid.ended);
  }

  GridRun close(const GridState& grid) const {
    GridRun run = grid.run;
    run.end = Seconds(grid.ended);
    for (const bool has_run : grid.has_run) run.units += has_run ? 1 : 0;
    run.units = (run.units - 1) * static_cast<double>(grid.grid.units_per_cta);
    const double slots = static_cast<double>(groups_of(grid.grid)) * grid.together;
    const Seconds used = run.slots.fill + run.slots.compute + run.slots.load + run.slots.latency + run.slots.store;
    run.slots.idle = std::max(Seconds(0), Seconds((grid.ended - grid.begun) * slots) - used);
    return run;
  }

  SimtChip chip_;
  event::Simulator sim_;
  std::deque<GridState> grids_;
  std::vector<std::vector<GridState*>> queued_;
  std::deque<GridState*> waiting_;  // started, with CTAs to dispatch, in that order
  Slices slices_;
  std::deque<CtaState> ctas_;
  std::vector<CtaState*> free_;
};

GridState::GridState(Player& player_, const Grid& grid_, std::size_t stream_, std::size_t place_)
    : Event(&start), player(player_), grid(grid_), stream(stream_), place(place_) {
  MLOSIM_CHECK(!grid.ctas.empty() && grid.resident >= 1 && grid.units_per_cta >= 1);
  MLOSIM_CHECK(grid.ahead >= 1 && grid.ahead <= kMostAhead);
  room = Unit::kRoom / static_cast<int>(grid.resident);
  const auto groups = static_cast<double>(player.groups_of(grid));
  together = std::min(static_cast<double>(grid.resident), std::ceil(static_cast<double>(grid.ctas.size()) / groups));
  const double slots = std::min(static_cast<double>(grid.ctas.size()), groups * static_cast<double>(grid.resident));
  friction.emplace(grid, player.chip(), slots, together);
  on_group.assign(static_cast<std::size_t>(groups), 0);
  has_run.assign(static_cast<std::size_t>(groups), false);
  for (std::size_t o = 0; o < kOperands; ++o)
    slices[o].resize(std::size_t{grid.operands[o].panels} * grid.operands[o].slices);
}

void GridState::start(event::Simulator&, event::Event& event) {
  auto& grid = static_cast<GridState&>(event);
  grid.player.start(grid);
}

void CtaState::advance(event::Simulator&, event::Event& event) {
  auto& cta = static_cast<CtaState&>(event);
  cta.player.advance(cta);
}

}  // namespace

PlayedGrids play_grids(const spec::ChipSpec& chip, const std::vector<GridStream>& streams) {
  return Player(chip, streams).run();
}

}  // namespace mlosim::tile
