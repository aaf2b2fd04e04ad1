// Kernels beside each other: what holds whatever they are, and that the two ways to play them agree. Tile by tile, CTAs
// get in line and share units, caches and memory; in a program, tasks have shares of the chip.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/machine/play_tiles.hpp"
#include "tests/property/machines.hpp"

namespace mlosim::property {
namespace {

using machine::Program;

constexpr const char* kSystems[] = {"dgx_a100", "dgx_h100", "dgx_b200"};

const work::Operator kLargeGemm = work::Gemm{.m = 8192, .n = 8192, .k = 8192};
const work::Operator kGemm = work::Gemm{.m = 4096, .n = 8192, .k = 8192};
const work::Operator kThinGemm = work::Gemm{.m = 16, .n = 8192, .k = 8192};
const work::Operator kPrefill = work::AttentionPrefill{.seq_q = 8192, .seq_kv = 8192, .heads = 32, .kv_heads = 8};
const work::Operator kDecode = work::AttentionDecode{.batch = 64, .seq_kv = 8192, .heads = 32, .kv_heads = 8};
const work::Operator kCopy =
    work::make_elementwise(work::ElementwiseKind::copy, 65536, 8192, work::DType::bf16, work::DType::bf16);
const work::Operator kAllReduce =
    work::Collective{.kind = work::CollectiveKind::all_reduce, .bytes = Bytes(256e6), .ranks = 8};
const work::Operator kAllGather =
    work::Collective{.kind = work::CollectiveKind::all_gather, .bytes = Bytes(256e6), .ranks = 8};

const std::vector<work::Operator> kOperators{kLargeGemm, kGemm, kThinGemm,  kPrefill,
                                             kDecode,    kCopy, kAllReduce, kAllGather};

struct Span {
  double start = 0, end = 0;  // s
};

class Spans : public event::Observer<machine::TaskFact> {
 public:
  explicit Spans(std::size_t tasks) : spans(tasks) {}
  void observe(const machine::TaskFact& fact) override {
    spans[fact.task] = {to_seconds(fact.start - event::Time()).si(), to_seconds(fact.end - event::Time()).si()};
  }
  std::vector<Span> spans;
};

// Each list of operators on a stream of its own; the spans in the order of the lists.
std::vector<Span> play(const spec::Hardware& hardware, chip::Fidelity fidelity,
                       const std::vector<std::vector<work::Operator>>& streams) {
  Program program;
  for (const std::vector<work::Operator>& ops : streams) {
    for (const work::Operator& op : ops) {
      const auto index = static_cast<std::uint32_t>(program.tasks.size());
      program.ops.push_back({std::to_string(index), op});
      program.tasks.push_back({index, static_cast<std::uint32_t>(program.streams.size()), {}});
    }
    program.streams.push_back({"", machine::StreamKind::compute});
  }
  machine::PriceBook prices(hardware, fidelity, {.between_uses = Bytes(0), .rotates_weights = true}, true);
  Spans spans(program.tasks.size());
  event::Facts<machine::TaskFact> facts;
  facts.attach(spans);
  if (machine::is_playable_in_tiles(program, prices)) {
    machine::play_tiles(program, prices, facts);
  } else {
    machine::play(program, prices, hardware.system.chip.launch, facts);
  }
  return spans.spans;
}

double last_end(const std::vector<Span>& spans) {
  double last = 0;
  for (const Span& span : spans) last = std::max(last, span.end);
  return last;
}

double alone(const spec::Hardware& hardware, chip::Fidelity fidelity, const work::Operator& op) {
  return play(hardware, fidelity, {{op}})[0].end;
}

TEST(Concurrency, TwoTasksTakeNoLessThanTheLongerAndNoMoreThanBoth) {
  for (const char* system : kSystems) {
    const spec::Hardware hardware = hardware_of(system);
    for (const chip::Fidelity fidelity : {chip::Fidelity::analytic, chip::Fidelity::event}) {
      // In tiles, a small kernel behind a large one crowds on the units that are free first, and caches are shared.
      const bool in_tiles = fidelity == chip::Fidelity::event;
      const double least = in_tiles ? 0.98 : 1 - 1e-9, most = in_tiles ? 1.07 : 1 + 1e-9;
      std::vector<double> times;
      for (const work::Operator& op : kOperators) times.push_back(alone(hardware, fidelity, op));
      for (std::size_t a = 0; a < kOperators.size(); ++a) {
        for (std::size_t b = a; b < kOperators.size(); ++b) {
          const double both = last_end(play(hardware, fidelity, {{kOperators[a]}, {kOperators[b]}}));
          EXPECT_GE(both, std::max(times[a], times[b]) * least) << system << ' ' << a << ' ' << b;
          EXPECT_LE(both, (times[a] + times[b]) * most) << system << ' ' << a << ' ' << b;
        }
      }
    }
  }
}

TEST(Concurrency, TheOrderOfStreamsDecidesNothing) {
  for (const char* system : kSystems) {
    const spec::Hardware hardware = hardware_of(system);
    for (const chip::Fidelity fidelity : {chip::Fidelity::roofline, chip::Fidelity::analytic, chip::Fidelity::event}) {
      const std::vector<Span> one = play(hardware, fidelity, {{kGemm, kCopy}, {kAllReduce, kThinGemm}, {kDecode}});
      const std::vector<Span> other = play(hardware, fidelity, {{kDecode}, {kAllReduce, kThinGemm}, {kGemm, kCopy}});
      for (std::size_t i = 0; i < one.size(); ++i) {
        const std::size_t j = i < 2 ? i + 3 : i < 4 ? i - 1 : 0;
        EXPECT_EQ(one[i].start, other[j].start) << system << ' ' << i;
        EXPECT_EQ(one[i].end, other[j].end) << system << ' ' << i;
      }
    }
  }
}

TEST(Concurrency, MoreBandwidthIsNeverSlower) {
  for (const char* system : kSystems) {
    const spec::Hardware hardware = hardware_of(system);
    spec::Hardware faster = hardware;
    for (spec::MemoryLevel& level : faster.system.chip.levels) {
      if (level.sharing == spec::Sharing::chip) level.bandwidth *= 1.25;
    }
    faster.system.fabric.bandwidth *= 1.25;
    for (const work::Operator& a : kOperators) {
      for (const work::Operator& b : kOperators) {
        const std::vector<std::vector<work::Operator>> streams{{a, b}, {b}};
        EXPECT_LE(last_end(play(faster, chip::Fidelity::analytic, streams)),
                  last_end(play(hardware, chip::Fidelity::analytic, streams)) * (1 + 1e-9))
            << system << ' ' << work::name_of(a) << ' ' << work::name_of(b);
      }
    }
  }
}

// Both ways, times are taken relative to those of the same kernels alone in the same fidelity.
TEST(Concurrency, SharesOfAProgramAgreeWithTheTilesOfItsKernels) {
  struct Case {
    const char* name;
    work::Operator a, b;
    double tolerance;
  };
  const std::vector<Case> cases{{"two GEMMs", kLargeGemm, kGemm, 0.05},
                                {"prefill beside decode", kPrefill, kDecode, 0.05},
                                {"GEMM beside all-reduce", kLargeGemm, kAllReduce, 0.05},
                                {"GEMM beside all-gather", kLargeGemm, kAllGather, 0.05}};
  for (const char* system : kSystems) {
    const spec::Hardware hardware = hardware_of(system);
    for (const Case& c : cases) {
      const auto relative = [&](chip::Fidelity fidelity) {
        return last_end(play(hardware, fidelity, {{c.a}, {c.b}})) /
               (alone(hardware, fidelity, c.a) + alone(hardware, fidelity, c.b));
      };
      EXPECT_NEAR(relative(chip::Fidelity::analytic) / relative(chip::Fidelity::event), 1, c.tolerance)
          << system << ": " << c.name;
    }
  }
}

// Measured on such nodes: compute is 5 to 15 % slower beside a collective.
TEST(Concurrency, ComputeBesideACollectiveIsSlower) {
  for (const char* system : kSystems) {
    const spec::Hardware hardware = hardware_of(system);
    for (const chip::Fidelity fidelity : {chip::Fidelity::analytic, chip::Fidelity::event}) {
      const std::vector<work::Operator> long_collective(4, kAllReduce);
      const double slow =
          play(hardware, fidelity, {{kLargeGemm}, long_collective})[0].end / alone(hardware, fidelity, kLargeGemm);
      EXPECT_GT(slow, 1.03) << system;
      EXPECT_LT(slow, 1.3) << system;
    }
  }
}

}  // namespace
}  // namespace mlosim::property
