#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "sim/chip/key_tiles.hpp"
#include "sim/chip/stream.hpp"
#include "tests/unit/sim/chip/chips.hpp"

namespace mlosim::chip {
namespace {

using test::gpu;
using test::kCold;
using test::microseconds;
using test::price;

// The definition that count_key_tiles is a closed form of.
KeyTiles counted(const QueryProblem& p, std::int64_t rows, std::int64_t cols) {
  const std::int64_t all = p.seq_q * p.packed;
  KeyTiles tiles;
  for (std::int64_t first = 0; first < all; first += rows) {
    const std::int64_t last = std::min(first + rows, all) - 1;
    const std::int64_t shift = p.seq_kv - p.seq_q;
    const std::int64_t end = std::max<std::int64_t>(0, last / p.packed + shift + 1);
    const std::int64_t start = p.window > 0 ? std::max<std::int64_t>(0, first / p.packed + shift - p.window + 1) : 0;
    const std::int64_t visits = end == 0 ? 0 : (end + cols - 1) / cols - start / cols;
    ++tiles.query_tiles;
    tiles.visits += visits;
    tiles.heaviest = std::max(tiles.heaviest, visits);
  }
  return tiles;
}

TEST(KeyTiles, ASquareCausalProblemVisitsTheTriangle) {
  // Four query tiles of 128 rows see 128, 256, 384, 512 keys: 2 + 4 + 6 + 8 tiles of 64.
  const KeyTiles tiles =
      count_key_tiles({.seq_q = 512, .seq_kv = 512, .packed = 1, .causal = true, .window = 0}, 128, 64);
  EXPECT_EQ(tiles.query_tiles, 4);
  EXPECT_EQ(tiles.visits, 20);
  EXPECT_EQ(tiles.heaviest, 8);
}

TEST(KeyTiles, WithoutACausalMaskEveryTileSeesAllKeys) {
  const KeyTiles tiles =
      count_key_tiles({.seq_q = 500, .seq_kv = 300, .packed = 1, .causal = false, .window = 0}, 128, 64);
  EXPECT_EQ(tiles.query_tiles, 4);
  EXPECT_EQ(tiles.visits, 4 * 5);
  EXPECT_EQ(tiles.heaviest, 5);
}

TEST(KeyTiles, TheClosedFormEqualsTheSumOverTiles) {
  for (const std::int64_t seq_q : {1, 2, 7, 64, 100, 129, 700, 2048}) {
    for (const std::int64_t seq_kv : {1, 5, 64, 130, 1000, 2048, 5000}) {
      for (const std::int64_t packed : {1, 3, 8}) {
        for (const std::int64_t window : {0, 1, 60, 128, 1000, 10000}) {
          for (const std::int64_t rows : {64, 128}) {
            const QueryProblem problem{
                .seq_q = seq_q, .seq_kv = seq_kv, .packed = packed, .causal = true, .window = window};
            const KeyTiles closed = count_key_tiles(problem, rows, 64), sum = counted(problem, rows, 64);
            ASSERT_EQ(closed.query_tiles, sum.query_tiles);
            ASSERT_EQ(closed.visits, sum.visits)
                << seq_q << ' ' << seq_kv << ' ' << packed << ' ' << window << ' ' << rows;
            ASSERT_LE(closed.heaviest, sum.heaviest);
            ASSERT_GE(closed.heaviest, sum.heaviest - 1);  // where a window's ends fall among the key tiles
          }
        }
      }
    }
  }
}

TEST(KeyTiles, FloorSumsAreExact) {
  for (const std::int64_t n : {0, 1, 5, 40}) {
    for (const std::int64_t m : {1, 7, 64}) {
      for (const std::int64_t a : {0, 3, 64, 100}) {
        std::int64_t sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += (a * i + 11) / m;
        EXPECT_EQ(floor_sum(n, m, a, 11), sum);
      }
    }
  }
}

TEST(Residency, FallsFromAllToNothingAndNeverExceedsWhatFits) {
  const spec::ChipSpec chip = gpu();
  EXPECT_NEAR(resident_share(chip, Bytes(1e6)), 1, 1e-4);
  EXPECT_NEAR(resident_share(chip, Bytes(30e6)), 0.5, 1e-12);  // 0.6 of 50 MB
  EXPECT_LT(resident_share(chip, Bytes(500e6)), 1e-4);
  for (double megabytes = 10; megabytes < 1000; megabytes *= 1.1) {
    EXPECT_LE(resident_share(chip, Bytes(megabytes * 1e6)), std::min(1.0, 50 / megabytes));
  }
}

work::AttentionPrefill prompt(std::int64_t seq) {
  return {.batch = 1, .seq_q = seq, .seq_kv = seq, .heads = 32, .kv_heads = 8};
}

TEST(AttentionPrefill, TheCostOfALongPromptIsTheFormulas) {
  // 32 heads × 128 query tiles of 128 rows; tile i visits 2(i + 1) key tiles: 16 512 a head. One visit of 128 × 64
  // pairs takes 8192·(512/(1000·0.7) + 0.9/16) = 6452.8 clk, a tile 2000 more; τ·M = 0.5·(256 visits + 2000).
  const double visit = 8192 * (512 / 700.0 + 0.9 / 16);
  const double compute = ((32 * 16512 * visit + 32 * 128 * 2000) / 100 + 0.5 * (256 * visit + 2000)) * 1e-3;
  const double time = microseconds(prompt(16384), gpu());
  EXPECT_GT(time, compute + 10);
  EXPECT_LT(time, (compute + 10) * 1.05);  // the append kernel and the overlap with the memory come on top
}

TEST(AttentionPrefill, PlansTilesByHeadAndSequence) {
  const KernelPlan plan = price(prompt(1000), gpu()).plan;
  EXPECT_EQ(plan.tiles, 32 * 8);
  EXPECT_EQ(plan.kernels, 2);
}

TEST(AttentionPrefill, AFewQueriesPackTheHeadsOfAGroupWhereTheLibraryDoes) {
  spec::ChipSpec chip = gpu();
  work::AttentionPrefill op{.batch = 64, .seq_q = 16, .seq_kv = 16, .heads = 32, .kv_heads = 4};
  EXPECT_EQ(price(op, chip).plan.tiles, 64 * 32);
  chip.prefill.standard.packed_queries = 16;
  EXPECT_EQ(price(op, chip).plan.tiles, 64 * 4);
  op.seq_q = op.seq_kv = 17;
  EXPECT_EQ(price(op, chip).plan.tiles, 64 * 32);
}

TEST(AttentionPrefill, AnEncoderCallWritesNoCache) {
  work::AttentionPrefill op = prompt(2048);
  op.causal = false;
  const KernelPrice encoder = price(op, gpu());
  EXPECT_EQ(encoder.plan.kernels, 1);
  EXPECT_DOUBLE_EQ(encoder.overhead.si(), 8e-6);
}

TEST(AttentionPrefill, AWindowIsNeverSlowerThanAllKeys) {
  const double full = microseconds(prompt(8192), gpu());
  double last = 0;
  for (const std::int64_t window : {64, 128, 1024, 4096, 8192}) {
    work::AttentionPrefill op = prompt(8192);
    op.window = window;
    const double time = microseconds(op, gpu());
    EXPECT_LE(time, full * (1 + 1e-12));
    EXPECT_GE(time, last);
    last = time;
  }
}

TEST(AttentionPrefill, ValuesMayBeNarrowerThanKeys) {
  work::AttentionPrefill op = prompt(4096);
  op.head_dim = 192;
  op.value_dim = 192;
  const double wide = microseconds(op, gpu());
  op.value_dim = 128;
  EXPECT_LT(microseconds(op, gpu()), wide);
}

TEST(AttentionPrefill, EarlierKeysAreColdInANetwork) {
  const work::AttentionPrefill chunk{.batch = 1, .seq_q = 16, .seq_kv = 16384, .heads = 8, .kv_heads = 2};
  const double earlier = 2.0 * (16384 - 16) * 2 * 128 * 2;
  EXPECT_GT(price(chunk, gpu(), kCold).plan.device_read.si(), 0.99 * earlier);
  EXPECT_LT(price(chunk, gpu()).plan.device_read.si(), 0.1 * earlier);  // 17 MB stay in the L2 from one run to the next
}

TEST(AttentionDecode, ReadsTheCacheOncePerKvHead) {
  work::AttentionDecode op{.batch = 64, .seq_kv = 8192, .heads = 64, .kv_heads = 8};
  const double grouped = price(op, gpu(), kCold).plan.device_read.si();
  EXPECT_NEAR(grouped, 2.0 * 64 * 8192 * 8 * 128 * 2, 0.01 * grouped);
  op.kv_heads = 64;
  EXPECT_NEAR(price(op, gpu(), kCold).plan.device_read.si(), 8 * grouped, 0.02 * 8 * grouped);
  op.kv_heads = 8;
  op.kv_dtype = work::DType::fp8;
  EXPECT_NEAR(price(op, gpu(), kCold).plan.device_read.si(), grouped / 2, 0.02 * grouped);
}

TEST(AttentionDecode, ALongCacheTakesItsBytesAtTheStreamRate) {
  const work::AttentionDecode op{.batch = 16, .seq_kv = 131072, .heads = 32, .kv_heads = 8};
  const double bytes_time = 2.0 * 16 * 131072 * 8 * 128 * 2 / (1e12 * 0.8) * 1e6;
  const double time = microseconds(op, gpu(), kCold);
  EXPECT_GT(time, bytes_time);
  EXPECT_LT(time, 1.1 * bytes_time);
}

TEST(AttentionDecode, SplitsTheKeysUntilTheUnitsAreFull) {
  // 8 groups on 100 units: at most 12 parts; 128 key tiles in parts of 11 make 12.
  EXPECT_EQ(price(work::AttentionDecode{.batch = 1, .seq_kv = 8192, .heads = 64, .kv_heads = 8}, gpu()).plan.split, 12);
  // 10 key tiles cannot be split further than one each.
  EXPECT_EQ(price(work::AttentionDecode{.batch = 1, .seq_kv = 640, .heads = 64, .kv_heads = 8}, gpu()).plan.split, 10);
  EXPECT_EQ(price(work::AttentionDecode{.batch = 16, .seq_kv = 8192, .heads = 64, .kv_heads = 8}, gpu()).plan.split, 1);
}

TEST(AttentionDecode, DoublingTheBatchAtMostDoublesTheTime) {
  for (std::int64_t batch = 1; batch <= 512; batch *= 2) {
    const work::AttentionDecode one{.batch = batch, .seq_kv = 4096, .heads = 32, .kv_heads = 8},
        two{.batch = 2 * batch, .seq_kv = 4096, .heads = 32, .kv_heads = 8};
    EXPECT_LE(microseconds(two, gpu(), kCold), 2 * microseconds(one, gpu(), kCold));
    EXPECT_GE(microseconds(two, gpu(), kCold),
              microseconds(one, gpu(), kCold) * 0.9);  // a split that ends may save its reduction
  }
}

TEST(AttentionDecode, AWindowReadsOnlyItsKeys) {
  work::AttentionDecode op{.batch = 32, .seq_kv = 65536, .heads = 32, .kv_heads = 8};
  const double full = microseconds(op, gpu(), kCold);
  op.window = 1024;
  EXPECT_LT(microseconds(op, gpu(), kCold), full / 10);
}

TEST(AttentionDecode, AKernelForEachQueryHeadRunsOneCtaForEach) {
  spec::ChipSpec chip = gpu();
  const work::AttentionDecode op{.batch = 64, .seq_kv = 1024, .heads = 32, .kv_heads = 4};
  const KernelPrice together = price(op, chip, kCold);
  EXPECT_EQ(together.plan.tiles, 64 * 4);
  chip.decode.standard.heads_per_cta = 1;
  const KernelPrice apart = price(op, chip, kCold);
  EXPECT_EQ(apart.plan.tiles, 64 * 32);
  EXPECT_GT(apart.time, together.time);
  EXPECT_EQ(apart.plan.device_read, together.plan.device_read);
}

TEST(AttentionDecode, AKernelThatDoesNotSplitTakesTheTimeOfItsLongestSequence) {
  spec::ChipSpec chip = gpu();
  const work::AttentionDecode op{.batch = 1, .seq_kv = 65536, .heads = 8, .kv_heads = 1};
  EXPECT_GT(price(op, chip).plan.split, 1);
  chip.decode.standard.split = spec::KeySplit::none;
  chip.decode.standard.key_step = 500;
  const KernelPrice whole = price(op, chip);
  EXPECT_EQ(whole.plan.split, 1);
  EXPECT_GE(whole.time, Seconds(65536.0 / 64 * 500 / 1e9));
}

TEST(AttentionDecode, PartsHaveAtLeastTheKeysThatTheLibraryAsksFor) {
  spec::ChipSpec chip = gpu();
  chip.decode.standard.part_tiles = 4;
  const work::AttentionDecode op{.batch = 1, .seq_kv = 1024, .heads = 8, .kv_heads = 1};
  EXPECT_EQ(price(op, chip).plan.split, 1024 / 64 / 4);
}

TEST(AttentionDecode, AKernelThatDoesNotSkipHiddenKeysReadsThemAll) {
  spec::ChipSpec chip = gpu();
  work::AttentionDecode op{.batch = 32, .seq_kv = 65536, .heads = 32, .kv_heads = 8};
  const double full = microseconds(op, chip, kCold);
  op.window = 1024;
  chip.decode.standard.skips_window = false;
  EXPECT_NEAR(microseconds(op, chip, kCold), full, 1e-6 * full);
}

TEST(AttentionDecode, CtasThatStartAndEndTogetherTakeWholeRounds) {
  spec::ChipSpec chip = gpu();
  chip.decode.standard.tail.reset();
  chip.decode.standard.split = spec::KeySplit::none;
  const auto time = [&](std::int64_t batch) {
    return microseconds(work::AttentionDecode{.batch = batch, .seq_kv = 64, .heads = 8, .kv_heads = 1}, chip);
  };
  EXPECT_NEAR(time(100), time(20), 0.5);  // one CTA on each of 100 units, or on some
  EXPECT_GT(time(101), time(100) + 2.5);  // the 101st needs a second round, of 3106 clk
  EXPECT_NEAR(time(200), time(101), 0.5);
}

TEST(AttentionDecode, ACtaStreamsNoFasterThanItsLoadsCome) {
  spec::ChipSpec chip = gpu();
  const work::AttentionDecode op{.batch = 1, .seq_kv = 65536, .heads = 8, .kv_heads = 1};
  chip.decode.standard.split = spec::KeySplit::none;
  chip.decode.standard.stream_rate = Bytes(25);
  const Seconds stream = Bytes(65536.0 * 2 * 128 * 2) / BytesPerSecond(25e9);
  EXPECT_GT(price(op, chip).time, stream);
  const double slow = microseconds(op, chip);
  chip.decode.standard.stream_rate = Bytes(50);
  EXPECT_NEAR(slow - microseconds(op, chip), stream.si() / 2 * 1e6, 0.01 * slow);
}

TEST(AttentionDecode, AConstantNumberOfPartsHoldsForShortCaches) {
  spec::ChipSpec chip = gpu();
  chip.decode.standard.split = spec::KeySplit::constant;
  chip.decode.standard.parts = 8;
  for (const std::int64_t keys : {1, 640, 65536}) {
    EXPECT_EQ(price(work::AttentionDecode{.batch = 2, .seq_kv = keys, .heads = 8, .kv_heads = 1}, chip).plan.tiles, 16);
  }
}

TEST(AttentionDecode, PartsByWavesAreBoundedByTheRootOfWhatTheKeysAllowAndByTheRounds) {
  spec::ChipSpec chip = gpu();
  chip.decode.standard.split = spec::KeySplit::waves;
  chip.decode.standard.part_tiles = 2;
  const auto parts = [&](std::int64_t batch, std::int64_t keys) {
    return price(work::AttentionDecode{.batch = batch, .seq_kv = keys, .heads = 8, .kv_heads = 1}, chip).plan.split;
  };
  EXPECT_EQ(parts(1, 64), 1);
  EXPECT_EQ(parts(1, 1024), 8);           // of 128 keys
  EXPECT_EQ(parts(1, 65536), 64);         // √(8 · 512)
  EXPECT_EQ(parts(64, 65536), 800 / 64);  // eight rounds of 100 units
  EXPECT_EQ(parts(5000, 65536), 1);
}

TEST(AttentionDecode, PartsByWavesThatAWindowLeavesEmptyStartAndEndAllTheSame) {
  spec::ChipSpec chip = gpu();
  chip.decode.standard.tail.reset();
  chip.decode.standard.split = spec::KeySplit::waves;
  chip.decode.standard.part_tiles = 2;
  work::AttentionDecode op{.batch = 100, .seq_kv = 256, .heads = 8, .kv_heads = 1, .window = 128};
  const double few = microseconds(op, chip);
  op.seq_kv = 65536;
  EXPECT_NEAR(microseconds(op, chip) - few, (8 - 2) * 2.0, 0.5);  // eight rounds of 2000 clk, not two
}

TEST(Mla, KeysAreReadAgainForEachGroupOfHeadsWhereTheGridRunsThroughTheSequencesFirst) {
  spec::ChipSpec chip = gpu();
  chip.mla_decode.standard.split = spec::KeySplit::none;
  chip.mla_decode.standard.heads_per_cta = 16;
  const work::MlaDecode op{.batch = 200, .seq_kv = 8192, .heads = 64};
  for (const Fidelity fidelity : {Fidelity::analytic, Fidelity::event}) {
    static const spec::RuntimeSpec runtime;
    const auto read = [&] {
      return price_kernel(op, {.chip = chip, .runtime = runtime, .operands = kCold}, fidelity).plan.device_read;
    };
    chip.mla_decode.standard.order = spec::GridOrder::heads;
    const Bytes once = read();
    chip.mla_decode.standard.order = spec::GridOrder::sequences;
    EXPECT_NEAR(read() / once, 4, 0.2);
  }
}

TEST(AttentionPrefill, TilesThatShareALoadCrossTheSharedCacheOnce) {
  spec::ChipSpec chip = gpu();
  chip.prefill.standard.tile_rows = 64;
  static const spec::RuntimeSpec runtime;
  const auto crossed = [&] {
    return price_kernel(prompt(8192), {.chip = chip, .runtime = runtime, .operands = {}}, Fidelity::event)
        .plan.shared_cache;
  };
  const Bytes alone = crossed();
  chip.prefill.standard.load_rows = 256;
  EXPECT_LT(crossed() / alone, 0.3);
}

TEST(AttentionPrefill, AKernelThatDoesNotSkipHiddenKeysComputesTheTriangle) {
  spec::ChipSpec chip = gpu();
  work::AttentionPrefill op = prompt(8192);
  const double full = microseconds(op, chip);
  op.window = 1024;
  chip.prefill.standard.skips_window = false;
  EXPECT_NEAR(microseconds(op, chip), full, 0.05 * full);
}

TEST(AttentionPrefill, ShortCallsMayDivideTheKeysOverIdleUnits) {
  spec::ChipSpec chip = gpu();
  const work::AttentionPrefill op{.batch = 1, .seq_q = 64, .seq_kv = 16384, .heads = 8, .kv_heads = 8};
  const double whole = microseconds(op, chip);
  chip.prefill.standard.split_queries = 64;
  EXPECT_EQ(price(op, chip).plan.split, 100 / 8);
  EXPECT_LT(microseconds(op, chip), whole / 2);
}

TEST(Mla, DecodeReadsOneLatentRowForAllHeads) {
  work::MlaDecode op{.batch = 64, .seq_kv = 8192, .heads = 16};
  const double few = price(op, gpu(), kCold).plan.device_read.si();
  EXPECT_NEAR(few, 64.0 * 8192 * 576 * 2, 0.02 * few);
  op.heads = 128;
  EXPECT_NEAR(price(op, gpu(), kCold).plan.device_read.si(), few, 0.05 * few);
}

TEST(Mla, AbsorbedPrefillPaysForTheLatentWidth) {
  spec::ChipSpec chip = gpu();
  work::MlaPrefill op{.batch = 1, .seq_q = 4096, .seq_kv = 4096, .heads = 128};
  const double expanded = microseconds(op, chip);
  op.absorbed = true;
  const double absorbed = microseconds(op, chip);
  EXPECT_NEAR(absorbed / expanded, 1088.0 / 320, 0.4);
  op.absorbed = false;
  chip.mla_prefill.standard.absorbed = true;
  EXPECT_DOUBLE_EQ(microseconds(op, chip), absorbed);
}

const work::Operator kOperators[] = {
    work::AttentionPrefill{.batch = 2, .seq_q = 1024, .seq_kv = 3000, .heads = 32, .kv_heads = 8},
    work::AttentionPrefill{.batch = 16, .seq_q = 1, .seq_kv = 1, .heads = 32, .kv_heads = 8},
    work::AttentionDecode{.batch = 1, .seq_kv = 100, .heads = 32, .kv_heads = 8},
    work::AttentionDecode{.batch = 256, .seq_kv = 4096, .heads = 128, .kv_heads = 8},
    work::MlaPrefill{.batch = 4, .seq_q = 512, .seq_kv = 512, .heads = 128},
    work::MlaDecode{.batch = 32, .seq_kv = 4096, .heads = 128},
};

TEST(Attention, IsNeverBelowItsBounds) {
  spec::ChipSpec fast = gpu();
  fast.prefill.standard = {.fixed = Seconds(0),
                           .fixed_encoder = Seconds(0),
                           .matrix_efficiency = 1,
                           .matrix_efficiency_8bit = 1,
                           .exponential_weight = 0,
                           .tile_overhead = 0,
                           .tail = 0,
                           .tile_rows = 64,
                           .tile_cols = 64,
                           .append_passes = 0,
                           .packed_queries = 0};
  fast.mla_prefill = fast.prefill;
  fast.decode.standard = {.fixed = Seconds(0),
                          .matrix_efficiency = 1,
                          .tile_overhead = 0,
                          .split_reduction = Seconds(0),
                          .tail = 0,
                          .memory_efficiency = 1,
                          .row_granule = 1,
                          .tile_cols = 64,
                          .ctas_per_unit = 1};
  fast.mla_decode = fast.decode;
  for (const work::Operator& op : kOperators) {
    for (const OperandState& operands : {OperandState{}, kCold}) {
      EXPECT_GE(price(op, fast, operands).time, price(op, fast, operands).bounds.largest());
      EXPECT_GE(price(op, gpu(), operands).time, price(op, gpu(), operands).bounds.largest());
    }
  }
}

TEST(Attention, MoreOfAnyRateIsNeverSlower) {
  for (const work::Operator& op : kOperators) {
    for (const OperandState& operands : {OperandState{}, kCold}) {
      const Seconds base = price(op, gpu(), operands).time;
      spec::ChipSpec chip = gpu();
      chip.matrix[work::DType::bf16] *= 2;
      EXPECT_LE(price(op, chip, operands).time, base);
      chip = gpu();
      chip.exponentials *= 2;
      EXPECT_LE(price(op, chip, operands).time, base);
      chip = gpu();
      chip.levels.back().bandwidth *= 2;
      EXPECT_LE(price(op, chip, operands).time, base);
      chip = gpu();
      chip.levels[1].bandwidth *= 2;
      EXPECT_LE(price(op, chip, operands).time, base);
      chip = gpu();
      chip.levels[1].capacity *= 2;
      EXPECT_LE(price(op, chip, operands).time, base);
    }
  }
}

}  // namespace
}  // namespace mlosim::chip
