#include "models/plan/pipeline_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/plan/bidirectional_schedule.hpp"
#include "models/plan/v_schedule.hpp"
#include "sim/units/check.hpp"

namespace mlosim::plan {
namespace {

using Order = std::vector<ChunkTask>;

ChunkTask task(ChunkPass pass, std::int64_t micro_batch, std::int64_t chunk = 0) {
  return {
      .pass = pass, .micro_batch = static_cast<std::int32_t>(micro_batch), .chunk = static_cast<std::int32_t>(chunk)};
}

Order gpipe_order(const ScheduleShape& shape) {
  Order order;
  for (std::int64_t m = 0; m < shape.micro_batches; ++m) order.push_back(task(ChunkPass::forward, m));
  for (std::int64_t m = 0; m < shape.micro_batches; ++m) order.push_back(task(ChunkPass::backward, m));
  return order;
}

Order one_f_one_b_order(const ScheduleShape& shape, std::int64_t rank) {
  const std::int64_t warm_up = std::min(shape.pp - rank - 1, shape.micro_batches);
  Order order;
  for (std::int64_t m = 0; m < warm_up; ++m) order.push_back(task(ChunkPass::forward, m));
  for (std::int64_t m = 0; m < shape.micro_batches; ++m) {
    if (m + warm_up < shape.micro_batches) order.push_back(task(ChunkPass::forward, m + warm_up));
    order.push_back(task(ChunkPass::backward, m));
  }
  return order;
}

// Micro-batches go through a rank's chunks in groups of pp. Megatron-LM, schedules.py,
// forward_backward_pipelining_with_interleaving.
Order interleaved_order(const ScheduleShape& shape, std::int64_t rank) {
  const std::int64_t v = shape.virtual_stages, passes = shape.micro_batches * v;
  const auto nth = [&](ChunkPass pass, std::int64_t k) {
    const std::int64_t in_order = k % (shape.pp * v) / shape.pp;
    return task(pass, k / (shape.pp * v) * shape.pp + k % shape.pp,
                pass == ChunkPass::forward ? in_order : v - 1 - in_order);
  };
  const std::int64_t warm_up = interleaved_warm_up(shape, rank);
  Order order;
  for (std::int64_t k = 0; k < warm_up; ++k) order.push_back(nth(ChunkPass::forward, k));
  for (std::int64_t k = 0; k < passes; ++k) {
    if (k + warm_up < passes) order.push_back(nth(ChunkPass::forward, k + warm_up));
    order.push_back(nth(ChunkPass::backward, k));
  }
  return order;
}

// Qi et al. 2023, "Zero bubble pipeline parallelism", section 2: ZB-H1 warms up as 1F1B does and puts off the weight
// gradients of rank i by i micro-batches, ZB-H2 warms up with twice as many forwards and puts off twice as many.
Order zero_bubble_order(const ScheduleShape& shape, std::int64_t rank) {
  const std::int64_t depth = shape.zero_bubble == ZeroBubble::h2 ? 2 : 1;
  const std::int64_t warm_up = std::min(depth * (shape.pp - rank - 1), shape.micro_batches);
  const std::int64_t delay = depth * rank;
  Order order;
  for (std::int64_t m = 0; m < warm_up; ++m) order.push_back(task(ChunkPass::forward, m));
  std::int64_t weights = 0;
  for (std::int64_t m = 0; m < shape.micro_batches; ++m) {
    const bool is_steady = m + warm_up < shape.micro_batches;
    if (is_steady) order.push_back(task(ChunkPass::forward, m + warm_up));
    order.push_back(task(ChunkPass::input_gradient, m));
    if (m >= delay) order.push_back(task(ChunkPass::weight_gradient, weights++));
  }
  while (weights < shape.micro_batches) order.push_back(task(ChunkPass::weight_gradient, weights++));
  return order;
}

bool is_v_shaped(const ScheduleShape& shape) {
  return shape.kind == ScheduleKind::zero_bubble && shape.zero_bubble != ZeroBubble::h1 &&
         shape.zero_bubble != ZeroBubble::h2;
}

Order order_of(const ScheduleShape& shape, std::int64_t rank) {
  switch (shape.kind) {
    case ScheduleKind::gpipe:
      return gpipe_order(shape);
    case ScheduleKind::one_f_one_b:
      return one_f_one_b_order(shape, rank);
    case ScheduleKind::interleaved:
      return interleaved_order(shape, rank);
    case ScheduleKind::zero_bubble:
      return zero_bubble_order(shape, rank);
    case ScheduleKind::dualpipe:
      return bidirectional_order(shape, rank);
  }
  MLOSIM_CHECK(false);
}

InFlight most_in_flight(const Order& order) {
  InFlight now, most;
  for (const ChunkTask& t : order) {
    if (t.pass == ChunkPass::forward) most.held = std::max(most.held, ++now.held);
    if (t.pass == ChunkPass::input_gradient) most.put_off = std::max(most.put_off, ++now.put_off);
    if (t.pass == ChunkPass::weight_gradient) --now.put_off;
    if (t.pass == ChunkPass::backward || t.pass == ChunkPass::weight_gradient) --now.held;
  }
  return most;
}

}  // namespace

std::int64_t ScheduleShape::chunks() const {
  if (kind == ScheduleKind::interleaved) return virtual_stages;
  return kind == ScheduleKind::dualpipe || is_v_shaped(*this) ? 2 : 1;
}

std::int64_t ScheduleShape::stages() const { return kind == ScheduleKind::dualpipe ? pp : pp * chunks(); }

std::int64_t ScheduleShape::stage_of(std::int64_t rank, std::int64_t chunk) const {
  if (chunk == 1 && kind == ScheduleKind::dualpipe) return pp - 1 - rank;
  if (chunk == 1 && is_v_shaped(*this)) return 2 * pp - 1 - rank;
  return chunk * pp + rank;
}

bool ScheduleShape::crosses_after(std::int64_t stage) const {
  return pp > 1 && stage + 1 < stages() && !(is_v_shaped(*this) && stage + 1 == pp);
}

std::int64_t ScheduleShape::crossings() const { return pp > 1 ? stages() - 1 - (is_v_shaped(*this) ? 1 : 0) : 0; }

bool ScheduleShape::joins_ends() const { return pp == 1 || kind == ScheduleKind::dualpipe || is_v_shaped(*this); }

std::vector<ShapeMistake> check_schedule(const ScheduleShape& shape, std::int64_t layers) {
  std::vector<ShapeMistake> mistakes;
  const auto add = [&](std::string key, std::string message, std::string hint) {
    mistakes.push_back({.key = std::move(key), .message = std::move(message), .hint = std::move(hint)});
  };
  const bool is_interleaved = shape.kind == ScheduleKind::interleaved;
  if (!is_interleaved && shape.virtual_stages > 1) {
    add("virtual_stages",
        fmt::format("{} virtual stages mean something to the schedule 'interleaved' alone", shape.virtual_stages),
        "set 'schedule: interleaved' or leave them out");
  }
  if (is_interleaved && shape.virtual_stages < 2) {
    add("virtual_stages", "an interleaved schedule needs at least 2 virtual stages a rank", "or set 'schedule: 1f1b'");
  }
  if (is_interleaved && shape.pp < 2)
    add("pp", "an interleaved schedule needs at least 2 pipeline ranks", "raise 'pp' or set 'schedule: 1f1b'");
  if (is_interleaved && shape.micro_batches % shape.pp != 0) {
    add("schedule",
        fmt::format("{} micro-batches do not go in groups of {} through the virtual stages", shape.micro_batches,
                    shape.pp),
        "an interleaved schedule takes a multiple of 'pp' micro-batches");
  }
  if (shape.kind == ScheduleKind::dualpipe && shape.pp % 2 != 0)
    add("pp", fmt::format("dualpipe pairs its ranks from both ends, and {} is odd", shape.pp), "make 'pp' even");
  if (shape.kind == ScheduleKind::dualpipe && (shape.micro_batches % 2 != 0 || shape.micro_batches < 2 * shape.pp)) {
    add("schedule",
        fmt::format("{} micro-batches do not fill both directions of dualpipe over {} ranks", shape.micro_batches,
                    shape.pp),
        fmt::format("it takes an even number of them, at least {}", 2 * shape.pp));
  }
  if (layers > 0 && layers < shape.stages()) {
    add("pp", fmt::format("{} layers do not reach for {} stages", layers, shape.stages()),
        "cut the model into fewer stages");
  } else if (layers > 0 && (layers + 2) % shape.stages() > 2) {
    add(is_interleaved ? "virtual_stages" : "pp",
        fmt::format("{} layers do not divide over {} stages", layers, shape.stages()),
        "make the layers a multiple of 'pp' times the chunks of a rank, or one or two less");
  }
  return mistakes;
}

Schedule make_schedule(const ScheduleShape& shape) {
  MLOSIM_CHECK(check_schedule(shape, 0).empty());
  if (is_v_shaped(shape)) return {.shape = shape, .order = v_shaped_orders(shape)};
  Schedule schedule{.shape = shape, .order = {}};
  for (std::int64_t rank = 0; rank < shape.pp; ++rank) schedule.order.push_back(order_of(shape, rank));
  return schedule;
}

std::int64_t interleaved_warm_up(const ScheduleShape& shape, std::int64_t rank) {
  return std::min((shape.pp - rank - 1) * 2 + (shape.virtual_stages - 1) * shape.pp,
                  shape.micro_batches * shape.virtual_stages);
}

// interleaved: micro-batches go through the chunks in groups of pp. V-shaped: a micro-batch goes through 2 pp - 2
// stages of other ranks before it comes back to the first. dualpipe: bidirectional_order.
PassesBetween passes_between_chunks(const ScheduleShape& shape) {
  if (shape.chunks() == 1) return {};
  if (shape.kind == ScheduleKind::dualpipe) return {.forwards = shape.pp - 1, .backwards = shape.pp / 2};
  return {.forwards = shape.pp, .backwards = shape.pp};
}

std::vector<InFlight> peak_in_flight(const ScheduleShape& shape) {
  const std::int64_t m = shape.micro_batches;
  std::vector<InFlight> peaks;
  const auto of_ranks = [&](auto peak_of) {
    for (std::int64_t rank = 0; rank < shape.pp; ++rank) peaks.push_back({.held = peak_of(rank)});
    return peaks;
  };
  switch (shape.kind) {
    case ScheduleKind::gpipe:
      return of_ranks([&](std::int64_t) { return m; });
    case ScheduleKind::one_f_one_b:
      return of_ranks([&](std::int64_t rank) { return std::min(m, shape.pp - rank); });
    case ScheduleKind::interleaved:
      return of_ranks(
          [&](std::int64_t rank) { return std::min(m * shape.virtual_stages, interleaved_warm_up(shape, rank) + 1); });
    case ScheduleKind::zero_bubble:
    case ScheduleKind::dualpipe:
      for (const Order& order : make_schedule(shape).order) peaks.push_back(most_in_flight(order));
      return peaks;
  }
  MLOSIM_CHECK(false);
}

}  // namespace mlosim::plan
