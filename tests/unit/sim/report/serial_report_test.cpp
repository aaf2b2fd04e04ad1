// The closed form of programs whose tasks follow one another says what play() and StepReader say.
#include "sim/report/serial_report.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::report {
namespace {

using machine::Program;

class SerialReportTest : public testing::Test {
 protected:
  // A GEMM, a copy and a collective of which half is hidden, twice.
  SerialReportTest() {
    program.streams = {{"compute", machine::StreamKind::compute}, {"side", machine::StreamKind::communication}};
    program.ops = {
        {"gemm", work::Gemm{.m = 2048, .n = 2048, .k = 2048}},
        {"copy", work::make_elementwise(work::ElementwiseKind::copy, 4096, 4096, work::DType::bf16, work::DType::bf16)},
        {"sum",
         work::Collective{
             .kind = work::CollectiveKind::all_reduce, .bytes = Bytes(4e6), .ranks = 4, .dtype = work::DType::bf16}}};
    for (std::uint32_t i = 0; i < 6; ++i) {
      machine::Task task{.op = i % 3, .stream = i % 3 == 2 ? 1U : 0U, .after = {}};
      if (i > 0) task.after.push_back(i - 1);
      if (i % 3 == 2) task.exposed = task.hidden = 0.5;
      program.tasks.push_back(task);
    }
  }

  StepReport played() {
    StepReader reader(program);
    event::Facts<machine::TaskFact> facts;
    facts.attach(reader);
    const machine::PlayResult result = machine::play(program, prices, hardware.system.chip.launch, facts);
    return reader.build(result, kStatic);
  }
  StepReport serial() { return serial_report(program, prices, hardware.system.chip.launch, kStatic); }

  static constexpr Watts kStatic{80};
  spec::SmallLibrary small;
  spec::Hardware hardware = small.hardware("toy_8");
  machine::PriceBook prices{hardware, chip::Fidelity::analytic, {}, false};
  Program program;
};

void expect_alike(const StepReport& a, const StepReport& b, const std::string& what) {
  EXPECT_NEAR(a.makespan / b.makespan, 1, 1e-6) << what;
  EXPECT_NEAR(a.energy / b.energy, 1, 1e-6) << what;
  EXPECT_NEAR(a.communication_total / b.communication_total, 1, 1e-6) << what;
  for (std::size_t i = 0; i < a.by_resource.size(); ++i)
    EXPECT_NEAR(a.by_resource[i] / a.makespan, b.by_resource[i] / b.makespan, 1e-6) << what << " " << i;
  ASSERT_EQ(a.ops.size(), b.ops.size());
  for (std::size_t i = 0; i < a.ops.size(); ++i) {
    EXPECT_EQ(a.ops[i].name, b.ops[i].name);
    EXPECT_EQ(a.ops[i].count, b.ops[i].count);
    EXPECT_NEAR(a.ops[i].time / b.ops[i].time, 1, 1e-6) << a.ops[i].name;
    EXPECT_NEAR(a.ops[i].bound / b.ops[i].bound, 1, 1e-12) << a.ops[i].name;
  }
}

TEST_F(SerialReportTest, IsThatOfThePlay) {
  expect_alike(serial(), played(), "graph");
  program.host_in_step = true;
  hardware.system.chip.launch.submit = Seconds(40e-6);
  expect_alike(serial(), played(), "host in step");
}

TEST_F(SerialReportTest, OfAHostThatRunsAheadIsTheLongerOfItsTasksAndTheirSubmissions) {
  program.launch = spec::LaunchPath::eager;
  hardware.system.chip.launch.submit = Seconds(1e-6);
  const Seconds first_submission = Seconds(1e-6);
  EXPECT_NEAR((serial().makespan + first_submission) / played().makespan, 1, 1e-6) << "the first one is over already";
  hardware.system.chip.launch.submit = Seconds(0.01);
  EXPECT_NEAR(serial().makespan.si(), 6 * 0.01, 1e-9);
  EXPECT_NEAR(serial().breakdown.total() / serial().makespan, 1, 1e-12);
}

TEST_F(SerialReportTest, SaysWhatItsComputeTasksUseOnAverage) {
  const chip::ChipUse use = serial_cost(program, prices, hardware.system.chip.launch, kStatic).use;
  const chip::ChipUse gemm = prices.price(program.ops[0].op).use, copy = prices.price(program.ops[1].op).use;
  EXPECT_GT(use.memory, std::min(gemm.memory, copy.memory));
  EXPECT_LT(use.memory, std::max(gemm.memory, copy.memory));
}

}  // namespace
}  // namespace mlosim::report
