#include "models/plan/reality.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlosim::plan {
namespace {

// Beyond this a normal factor four deviations below its mean would come near to no time at all.
constexpr double kMostDeviation = 0.2;

double decode_deviation(spec::Node& node) {
  const double deviation = node.require_number("deviation");
  if (deviation > kMostDeviation) {
    node.fail_at("deviation", fmt::format("{} is too much for a relative deviation of a rank's time", deviation),
                 fmt::format("give at most {}; one rank that is much slower is a straggler", kMostDeviation));
  }
  return deviation;
}

Spread decode_spread(spec::Node node) {
  using enum Spread::Distribution;
  const Spread spread{
      .distribution =
          node.word_or("distribution", {{"normal", normal}, {"lognormal", lognormal}, {"uniform", uniform}}, normal),
      .deviation = decode_deviation(node),
  };
  node.finish();
  return spread;
}

std::vector<Straggler> decode_stragglers(spec::Node list, std::int64_t ranks) {
  std::vector<Straggler> stragglers;
  if (!list.is_sequence()) {
    list.fail("stragglers are a list", "write '[{rank: 17, slowdown: 1.3}]'");
    return stragglers;
  }
  for (spec::Node& node : list.items()) {
    const Straggler straggler{.rank = node.require_count("rank", 0), .slowdown = node.require_number("slowdown")};
    node.finish();
    if (straggler.rank >= ranks) {
      node.fail_at("rank", fmt::format("there is no rank {} among {}", straggler.rank, ranks), "ranks count from 0");
    } else if (straggler.slowdown < 1) {
      node.fail_at("slowdown", "a straggler takes at least as long as others",
                   "the slowdown is a factor on its time, such as 1.3");
    } else if (std::any_of(stragglers.begin(), stragglers.end(),
                           [&](const Straggler& other) { return other.rank == straggler.rank; })) {
      node.fail_at("rank", fmt::format("rank {} is there twice", straggler.rank));
    } else {
      stragglers.push_back(straggler);
    }
  }
  return stragglers;
}

// Given for a chip, or for a node of so many of them.
Seconds decode_chip_mtbf(spec::Node& node) {
  if (!node.has("node_mtbf")) return node.require<Seconds>("chip_mtbf");
  if (node.has("chip_mtbf")) {
    node.child("chip_mtbf");
    node.fail_at("chip_mtbf", "the time between failures is given twice", "leave out 'chip_mtbf' or 'node_mtbf'");
  }
  const auto chips = static_cast<double>(node.require_count("node_chips"));
  return chips * node.require<Seconds>("node_mtbf");
}

Failures decode_failures(spec::Node node) {
  using spec::Range;
  Failures failures{
      .chip_mtbf = decode_chip_mtbf(node),
      .detection = node.value_or<Seconds>("detection", Seconds(0), Range::non_negative),
      .restart = node.value_or<Seconds>("restart", Seconds(0), Range::non_negative),
  };
  if (node.has("repair")) {
    failures.repair = node.require<Seconds>("repair");
  } else if (node.has("spares")) {
    node.fail_at("spares", "without a time of repair another node always stands by", "add 'repair' or leave it out");
  }
  failures.spares = node.count_or("spares", 0, 0);
  failures.needs_repair = node.number_or("needs_repair", 1, Range::fraction);
  node.finish();
  return failures;
}

Checkpoints decode_checkpoints(spec::Node node) {
  Checkpoints checkpoints{.storage = node.require<BytesPerSecond>("storage")};
  if (node.has("interval")) checkpoints.interval = node.require<Seconds>("interval");
  if (node.has("snapshot")) checkpoints.snapshot = node.require<BytesPerSecond>("snapshot");
  node.finish();
  return checkpoints;
}

}  // namespace

Reality decode_reality(spec::Node node, std::int64_t ranks) {
  Reality reality;
  if (!node.is_present()) return reality;
  reality.slow_ranks.seed = static_cast<std::uint64_t>(node.count_or("seed", 1, 0));
  if (node.has("spread")) reality.slow_ranks.spread = decode_spread(node.require_mapping("spread"));
  if (node.has("stragglers")) reality.slow_ranks.stragglers = decode_stragglers(node.child("stragglers"), ranks);
  if (node.has("jitter")) {
    spec::Node jitter = node.require_mapping("jitter");
    reality.jitter = Jitter{.deviation = decode_deviation(jitter)};
    jitter.finish();
  }
  if (node.has("failures")) reality.failures = decode_failures(node.require_mapping("failures"));
  if (node.has("checkpoint")) reality.checkpoints = decode_checkpoints(node.require_mapping("checkpoint"));
  node.finish();
  if (reality.failures && !reality.checkpoints)
    node.fail_at("failures", "a run that fails and saves nothing never ends", "add 'checkpoint'");
  return reality;
}

}  // namespace mlosim::plan
