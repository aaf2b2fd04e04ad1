// What holds for the time of a whole workload: bounds, sums, and how it answers to a better machine and to more work.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/property/gemm_kernels.hpp"
#include "tests/property/workloads.hpp"

namespace mlosim::property {
namespace {

double seconds_of(const predict::Evaluation& e) { return e.total.makespan.si(); }

double time_of(const std::string& yaml) { return seconds_of(scenario_of_text(yaml).evaluate()); }

double sum(const report::TimeBreakdown& b) {
  return (b.compute + b.memory + b.communication_exposed + b.bubble + b.overhead + b.optimizer).si();
}

TEST(WorkloadTime, IsNotBelowItsRooflineNorAnyOperatorBelowItsBound) {
  for (const std::string& name : workload_names()) {
    const Scenario scenario = scenario_of(name);
    const predict::Evaluation analytic = scenario.evaluate();
    EXPECT_GE(seconds_of(analytic), seconds_of(scenario.evaluate(scenario.hardware, chip::Fidelity::roofline))) << name;
    for (const report::OpTotal& op : analytic.total.ops)
      EXPECT_GE(op.each.si(), op.bound.si() * (1 - 1e-9)) << name << ": " << op.name;
  }
}

TEST(WorkloadTime, OfAnImageCountsTheTokensThatAreComputed) {
  for (const char* prompt : {"197", "4096"}) {
    const predict::Evaluation e =
        scenario_of_text(std::string("{schema: mlosim/workload/1, name: w, task: prefill, model: "
                                     "vit-b16, system: h100_sxm, inference: {batch: 4, prompt: ") +
                         prompt + "}}")
            .evaluate();
    EXPECT_EQ(e.tokens, 4 * 197) << prompt;
  }
}

TEST(WorkloadTime, IsNotBelowTheMultiplicationsOfAllChipsAtTheHighestClock) {
  for (const std::string& name : workload_names()) {
    const Scenario scenario = scenario_of(name);
    const spec::ChipSpec& chip = scenario.hardware.system.chip;
    const predict::Evaluation e = scenario.evaluate();
    EXPECT_GT(e.peak_time.si(), 0) << name;
    EXPECT_GE(seconds_of(e), e.peak_time.si() * (chip.rated_clock / chip.clock)) << name;
  }
}

TEST(WorkloadTime, IsTheSumOfItsParts) {
  for (const std::string& name : workload_names()) {
    for (const chip::Fidelity fidelity : {chip::Fidelity::analytic, chip::Fidelity::roofline}) {
      const Scenario scenario = scenario_of(name);
      const predict::Evaluation e = scenario.evaluate(scenario.hardware, fidelity);
      const double time = seconds_of(e);
      EXPECT_NEAR(sum(e.total.breakdown), time, 1e-9 * time) << name;
      Seconds by_resource;
      for (const Seconds part : e.total.by_resource) {
        EXPECT_GE(part.si(), 0) << name;
        by_resource += part;
      }
      EXPECT_NEAR(by_resource.si(), time, 1e-9 * time) << name;
      EXPECT_LE(e.total.breakdown.communication_exposed.si(), e.total.communication_total.si() * (1 + 1e-9)) << name;
    }
  }
}

// Every operator once at least, and nothing that runs longer in all than the workload on each of two streams.
TEST(WorkloadTime, OperatorsTakeNoLongerInAllThanTheWorkload) {
  for (const std::string& name : workload_names()) {
    const predict::Evaluation e = scenario_of(name).evaluate();
    Seconds compute, communication;
    for (const report::OpTotal& op : e.total.ops) {
      EXPECT_GT(op.count, 0) << name << ": " << op.name;
      (op.is_collective ? communication : compute) += op.time;
    }
    EXPECT_LE(compute.si(), seconds_of(e) * (1 + 1e-9)) << name;
    EXPECT_LE(communication.si(), seconds_of(e) * (1 + 1e-9)) << name;
  }
}

// Split-K plans may be left for unsplit ones that are a little slower (better_hardware_test.cpp).
TEST(WorkloadTime, IsNotLongerOnABetterMachine) {
  constexpr double kSplitMargin = 1.02;
  using Improve = std::function<void(spec::Hardware&)>;
  const std::vector<std::pair<std::string, Improve>> improvements{
      {"device memory bandwidth", [](spec::Hardware& h) { h.system.chip.levels.back().bandwidth *= 1.5; }},
      {"matrix rates",
       [](spec::Hardware& h) {
         for (auto& [format, rate] : h.system.chip.matrix) rate *= 1.5;
       }},
      {"clock", [](spec::Hardware& h) { h.system.chip.clock *= 1.5; }},
      {"power cap", [](spec::Hardware& h) { h.system.chip.power.cap *= 1.5; }},
      {"fabric bandwidth", [](spec::Hardware& h) { h.system.fabric.bandwidth *= 1.5; }},
      {"shared path",
       [](spec::Hardware& h) {
         for (auto& [ranks, bandwidth] : h.system.fabric.shared_path) bandwidth *= 1.5;
       }},
      {"fabric latency", [](spec::Hardware& h) { h.system.fabric.latency /= 1.5; }},
      {"endpoint latency", [](spec::Hardware& h) { h.system.fabric.endpoint_latency /= 1.5; }},
      {"collective start", [](spec::Hardware& h) { h.system.fabric.collective_start /= 1.5; }},
      {"launch.submit", [](spec::Hardware& h) { h.system.chip.launch.submit /= 1.5; }},
      {"launch.step", [](spec::Hardware& h) { h.system.chip.launch.step /= 1.5; }},
      {"launch.stream", [](spec::Hardware& h) { h.system.chip.launch.stream /= 1.5; }},
      {"step overhead", [](spec::Hardware& h) { h.runtime.step_overhead /= 1.5; }}};
  for (const std::string& name : workload_names()) {
    const Scenario scenario = scenario_of(name);
    const predict::Evaluation before = scenario.evaluate();
    for (const auto& [what, improve] : improvements) {
      spec::Hardware better = scenario.hardware;
      improve(better);
      const predict::Evaluation after = scenario.evaluate(better);
      Seconds allowed;
      for (std::size_t i = 0; i < before.total.ops.size(); ++i) {
        const report::OpTotal &was = before.total.ops[i], &is = after.total.ops[i];
        if (was.detail.find("split") != std::string::npos && is.detail.find("split") == std::string::npos) {
          allowed +=
              (was.each * (kSplitMargin - 1) + largest_split_preference(scenario.hardware.system.chip)) * was.count;
        }
      }
      EXPECT_LE(seconds_of(after), (before.total.makespan + allowed).si() * (1 + 1e-9)) << name << ": " << what;
    }
  }
}

TEST(WorkloadTime, CollectivesAreNotSlowerOnABetterFabric) {
  using work::CollectiveKind;
  for (const std::string& name : system_names()) {
    const spec::Hardware base = hardware_of(name);
    for (const double factor : {1.01, 1.5, 4.0}) {
      spec::Hardware wide = base, near = base;
      wide.system.fabric.bandwidth *= factor;
      for (auto& [ranks, bandwidth] : wide.system.fabric.shared_path) bandwidth *= factor;
      near.system.fabric.latency /= factor;
      near.system.chip.levels.back().latency /= factor;
      machine::PriceBook base_book(base, chip::Fidelity::analytic, {}, true),
          wide_book(wide, chip::Fidelity::analytic, {}, true), near_book(near, chip::Fidelity::analytic, {}, true);
      for (const CollectiveKind kind :
           {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter,
            CollectiveKind::all_to_all, CollectiveKind::broadcast, CollectiveKind::p2p}) {
        for (double bytes = 64; bytes < 4e9; bytes *= 8) {
          const std::int64_t ranks =
              kind == CollectiveKind::p2p ? 2 : std::min<std::int64_t>(8, base.system.fabric.chips);
          const work::Collective collective{.kind = kind, .bytes = Bytes(bytes), .ranks = ranks};
          const Seconds before = base_book.price(collective).time;
          EXPECT_GE(before.si(), base_book.price(collective).bound.si())
              << name << ": " << work::name_of(kind) << " of " << bytes << " B";
          EXPECT_LE(wide_book.price(collective).time.si(), before.si() * (1 + 1e-12))
              << name << ": " << work::name_of(kind) << " of " << bytes << " B, bandwidth x " << factor;
          EXPECT_LE(near_book.price(collective).time.si(), before.si() * (1 + 1e-12))
              << name << ": " << work::name_of(kind) << " of " << bytes << " B, latency / " << factor;
        }
      }
    }
  }
}

// NCCL picks the algorithm by thresholds in the size, and at some of them its choice is the slower one.
TEST(WorkloadTime, CollectivesOfTwiceTheBytesAreNotFaster) {
  using work::CollectiveKind;
  for (const std::string& name : system_names()) {
    const spec::Hardware hardware = hardware_of(name);
    machine::PriceBook book(hardware, chip::Fidelity::analytic, {}, true);
    for (const CollectiveKind kind :
         {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter,
          CollectiveKind::all_to_all, CollectiveKind::broadcast, CollectiveKind::p2p}) {
      const std::int64_t ranks =
          kind == CollectiveKind::p2p ? 2 : std::min<std::int64_t>(8, hardware.system.fabric.chips);
      for (double bytes = 64; bytes < 4e9; bytes *= 2) {
        const machine::TaskPrice once =
            book.price(work::Collective{.kind = kind, .bytes = Bytes(bytes), .ranks = ranks});
        const machine::TaskPrice twice =
            book.price(work::Collective{.kind = kind, .bytes = Bytes(2 * bytes), .ranks = ranks});
        if (once.detail != twice.detail) continue;
        EXPECT_GE(twice.time.si(), once.time.si() * (1 - 1e-12))
            << name << ": " << work::name_of(kind) << " of " << bytes << " B";
      }
    }
  }
}

TEST(WorkloadTime, GrowsWithTheBatchThePromptAndTheOutput) {
  for (const std::string& system :
       {std::string("h100_sxm"), std::string("a100_sxm_80gb"), std::string("mi300x"), std::string("tpu_v5p")}) {
    for (const char* task : {"prefill", "decode", "generate"}) {
      const auto at = [&](int batch, int prompt, int output) {
        return time_of(network("llama-3.1-8b", task, system,
                               "batch: " + std::to_string(batch) + ", prompt: " + std::to_string(prompt) +
                                   ", output: " + std::to_string(output)));
      };
      const double base = at(4, 512, 64);
      EXPECT_GE(at(8, 512, 64), base) << system << " " << task;
      EXPECT_GE(at(16, 512, 64), at(8, 512, 64)) << system << " " << task;
      EXPECT_GE(at(4, 1024, 64), base) << system << " " << task;
      EXPECT_GE(at(4, 4096, 64), at(4, 2048, 64)) << system << " " << task;
      EXPECT_GE(at(4, 512, 128), base) << system << " " << task;
    }
  }
}

// A library could run the halves one after the other. Two halves may each fit the caches where the whole does not,
// which is worth up to 13 % on chips with large caches.
TEST(WorkloadTime, OfTwiceTheBatchIsAtMostTwiceAsLong) {
  constexpr double kCaches = 0.15;
  for (const std::string& system : chip_names()) {
    const auto at = [&](int batch) {
      return time_of(network("gpt2-xl", "prefill", system, "batch: " + std::to_string(batch) + ", prompt: 1024"));
    };
    for (const int batch : {1, 4, 16})
      EXPECT_LE(at(2 * batch), 2 * at(batch) * (1 + kCaches)) << system << ", batch " << batch;
  }
}

TEST(WorkloadTime, OfAGenerationIsThePrefillAndTheStepsOfItsGrowingContext) {
  constexpr double kAbout = 0.02;  // beyond 17 steps some are interpolated; a step alone plans for less KV cache
  for (const std::string& system : {std::string("h100_sxm"), std::string("l40s"), std::string("tpu_v6e")}) {
    for (const int output : {1, 5, 40}) {
      const std::string sizes = "batch: 4, prompt: 1000, output: ";
      const predict::Evaluation generation =
          scenario_of_text(network("qwen3-8b", "generate", system, sizes + std::to_string(output))).evaluate();
      double expected = time_of(network("qwen3-8b", "prefill", system, "batch: 4, prompt: 1000"));
      EXPECT_NEAR(generation.prefill_time->si(), expected, kAbout * expected) << system;
      for (int step = 1; step <= output; ++step)
        expected += time_of(
            network("qwen3-8b", "decode", system, "batch: 4, prompt: " + std::to_string(1000 + step) + ", output: 1"));
      EXPECT_NEAR(seconds_of(generation), expected, kAbout * expected) << system << ", output " << output;
      const predict::Evaluation steps =
          scenario_of_text(network("qwen3-8b", "generate", system, sizes + std::to_string(output) + ", count: decode"))
              .evaluate();
      EXPECT_NEAR(seconds_of(steps) + generation.prefill_time->si(), seconds_of(generation), 1e-9 * expected) << system;
    }
  }
}

}  // namespace
}  // namespace mlosim::property
