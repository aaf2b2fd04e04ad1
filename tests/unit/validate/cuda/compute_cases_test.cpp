// What the compute cases of mlosim-measure will measure: planned without a GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "validate/cuda/cases/catalogue.hpp"
#include "validate/cuda/operation/collective_shape.hpp"
#include "validate/cuda/operation/gemm_shape.hpp"
#include "validate/cuda/operation/row_pass.hpp"
#include "validate/cuda/operation/tensor_path.hpp"
#include "validate/cuda/operation/vector_operation.hpp"

namespace mlosim::measure {
namespace {

using testing::HasSubstr;

DeviceFacts device(const std::string& chip, int gpus = 1) {
  DeviceFacts facts = nominal_facts(chip).value();
  facts.gpus = gpus;
  return facts;
}

const Case& case_named(const std::vector<Case>& cases, const std::string& name) {
  return *std::find_if(cases.begin(), cases.end(), [&](const Case& one) { return one.name == name; });
}

void for_every_state(const Case& one, const std::function<void(const State&)>& visit) {
  std::vector<std::size_t> at(one.axes.size(), 0);
  for (;;) {
    std::vector<std::pair<std::string, std::string>> coordinates;
    for (std::size_t i = 0; i < at.size(); ++i) coordinates.emplace_back(one.axes[i].name, one.axes[i].values[at[i]]);
    visit(State(std::move(coordinates)));
    std::size_t axis = at.size();
    while (axis > 0 && ++at[axis - 1] == one.axes[axis - 1].values.size()) at[--axis] = 0;
    if (axis == 0) return;
  }
}

Planned plan_of(const std::vector<Case>& cases, const std::string& name,
                std::vector<std::pair<std::string, std::string>> coordinates, const DeviceFacts& facts) {
  return case_named(cases, name).plan(State(std::move(coordinates)), facts, Options{});
}

std::string reason_of(const Planned& planned) {
  return std::holds_alternative<Skip>(planned) ? std::get<Skip>(planned).reason : "";
}

TEST(ComputeCases, MeasureNoRowTwice) {
  const DeviceFacts facts = device("h100_sxm", 8);
  std::set<std::string> rows;
  for (const auto& family : {peak_cases, gemm_cases, elementwise_cases, sustained_cases, collective_cases})
    for (const Case& one : family())
      for_every_state(one, [&](const State& state) {
        const Planned planned = one.plan(state, facts, Options{});
        if (!std::holds_alternative<Plan>(planned)) return;
        std::string row;
        for (const Cell& cell : std::get<Plan>(planned).identity) row += cell.column + "=" + cell.value + " ";
        EXPECT_TRUE(rows.insert(row).second) << one.name << " " << state.name() << " is measured before: " << row;
      });
  EXPECT_GT(rows.size(), 1000u);
}

TEST(GemmCases, NameTheColumnsOfTheContract) {
  const Planned planned =
      plan_of(gemm_cases(), "gemm.zoo", {{"dtype", "bf16"}, {"weight", "4096x14336"}, {"m", "16"}}, device("h100_sxm"));
  const Cells& identity = std::get<Plan>(planned).identity;
  const std::vector<std::pair<std::string, std::string>> expected = {{"op", "gemm"}, {"dtype", "bf16"}, {"batch", "1"},
                                                                     {"m", "16"},    {"n", "4096"},     {"k", "14336"}};
  ASSERT_EQ(identity.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(identity[i].column, expected[i].first);
    EXPECT_EQ(identity[i].value, expected[i].second);
  }
  const GemmShape shape = gemm_shape_of(identity);
  EXPECT_EQ(shape.n, 4096);
  EXPECT_EQ(shape.flops(), 2.0 * 16 * 4096 * 14336);
}

TEST(GemmCases, CountEveryCopyOfTheWeights) {
  DeviceFacts facts = device("h100_sxm");
  facts.l2_bytes = 50 << 20;
  const GemmShape small{.dtype = DType::bf16, .batch = 1, .m = 1, .n = 1024, .k = 1024};  // 2 MiB: 50 copies
  const std::int64_t rest = small.activation_bytes() + small.output_bytes() + gemm_workspace_bytes(facts);
  EXPECT_EQ(plan_gemm(small, facts).memory_bytes, 50 * small.weight_bytes() + rest);
  const GemmShape tiny{.dtype = DType::bf16, .batch = 1, .m = 1, .n = 64, .k = 64};
  EXPECT_EQ(plan_gemm(tiny, facts).memory_bytes, kMostWeightCopies * tiny.weight_bytes() + tiny.activation_bytes() +
                                                     tiny.output_bytes() + gemm_workspace_bytes(facts));
}

TEST(GemmCases, GuessNoLessThanTheBytesOrTheOperationsTake) {
  const DeviceFacts facts = device("h100_sxm");
  const GemmShape skinny{.dtype = DType::bf16, .batch = 1, .m = 1, .n = 8192, .k = 8192};
  EXPECT_GE(plan_gemm(skinny, facts).launch_guess.count(),
            static_cast<double>(skinny.weight_bytes()) / facts.hbm_bytes_per_s);
  const GemmShape large{.dtype = DType::fp8, .batch = 1, .m = 8192, .n = 8192, .k = 8192};
  EXPECT_DOUBLE_EQ(plan_gemm(large, facts).launch_guess.count(), large.flops() / (2 * facts.bf16_flops_per_s));
}

TEST(GemmCases, OutputsAreAsWideAsTheLibraryWritesThem) {
  GemmShape shape{.dtype = DType::fp8, .batch = 2, .m = 3, .n = 5, .k = 7};
  EXPECT_EQ(shape.output_bytes(), 2 * 3 * 5 * 2);
  EXPECT_EQ(shape.weight_bytes(), 2 * 5 * 7);
  shape.dtype = DType::int8;
  EXPECT_EQ(shape.output_bytes(), 2 * 3 * 5 * 4);
  shape.dtype = DType::tf32;
  EXPECT_EQ(shape.activation_bytes(), 2 * 3 * 7 * 4);
}

TEST(ComputeCases, LeaveFp8OutBeforeAda) {
  EXPECT_THAT(reason_of(plan_of(gemm_cases(), "gemm.zoo", {{"dtype", "fp8"}, {"weight", "4096x4096"}, {"m", "1"}},
                                device("a100_sxm_80gb"))),
              HasSubstr("no fp8"));
  EXPECT_THAT(reason_of(plan_of(peak_cases(), "peak.tensor", {{"dtype", "fp8"}, {"path", "mma_sync"}},
                                device("a100_sxm_80gb"))),
              HasSubstr("no fp8"));
  EXPECT_EQ(reason_of(plan_of(gemm_cases(), "gemm.zoo", {{"dtype", "fp8"}, {"weight", "4096x4096"}, {"m", "1"}},
                              device("l40s"))),
            "");
}

std::string tensor_kind(const std::string& chip, const std::string& path) {
  const Planned planned = plan_of(peak_cases(), "peak.tensor", {{"dtype", "bf16"}, {"path", path}}, device(chip));
  return std::holds_alternative<Plan>(planned) ? std::string(value_of(std::get<Plan>(planned).identity, "kind")) : "";
}

TEST(PeakCases, TheBareNameIsForTheInstructionThatReachesTheFullRate) {
  EXPECT_EQ(tensor_kind("h100_sxm", "wgmma"), "tensor_peak_bf16");
  EXPECT_EQ(tensor_kind("h100_sxm", "mma_sync"), "tensor_peak_mma_sync_bf16");
  EXPECT_EQ(tensor_kind("a100_sxm_80gb", "mma_sync"), "tensor_peak_bf16");
  EXPECT_EQ(tensor_kind("a100_sxm_80gb", "wgmma"), "");
  EXPECT_EQ(tensor_kind("b200_sxm", "mma_sync"), "tensor_peak_mma_sync_bf16");
  EXPECT_EQ(tensor_kind("b200_sxm", "cublaslt"), "tensor_peak_cublaslt_bf16");
}

TEST(PeakCases, EveryVectorOperationHasAnAxisValueAndReadsBack) {
  const std::vector<Case> cases = peak_cases();
  const std::vector<std::string>& names = case_named(cases, "peak.vector").axes[0].values;
  ASSERT_EQ(names.size(), all_vector_operations().size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(vector_operation_of(names[i]), all_vector_operations()[i]);
}

Cells pass_identity(const std::string& name, const std::string& kind) {
  const Planned planned =
      plan_of(elementwise_cases(), name, {{"kind", kind}, {"dtype", "bf16"}, {"rows", "16"}, {"cols", "4096"}},
              device("h100_sxm"));
  return std::get<Plan>(planned).identity;
}

TEST(ElementwiseCases, CountTheBytesOfTheirOperands) {
  const std::int64_t matrix = 16 * 4096 * 2;
  for (const auto& [kind, in, out] :
       std::vector<std::tuple<std::string, std::int64_t, std::int64_t>>{{"add", 2 * matrix, matrix},
                                                                        {"silu_mul", 2 * matrix, matrix},
                                                                        {"quantize", matrix, matrix / 2},
                                                                        {"copy", matrix, matrix}}) {
    const Cells identity = pass_identity("elementwise.pass", kind);
    EXPECT_EQ(value_of(identity, "op"), "elementwise");
    EXPECT_EQ(value_of(identity, "kind"), kind);
    EXPECT_EQ(value_of(identity, "bytes_in"), std::to_string(in)) << kind;
    EXPECT_EQ(value_of(identity, "bytes_out"), std::to_string(out)) << kind;
  }
  EXPECT_EQ(value_of(pass_identity("elementwise.pass", "quantize"), "dtype"), "bf16->fp8");
}

TEST(ElementwiseCases, NormsAndSoftmaxAreOpsOfTheirOwn) {
  for (const char* op : {"softmax", "layernorm", "rmsnorm", "gelu"}) {
    const Cells identity = pass_identity("elementwise.row", op);
    EXPECT_EQ(value_of(identity, "op"), op);
    EXPECT_EQ(value_of(identity, "kind"), "");
  }
}

TEST(SustainedCases, LastAsLongAsTheUserAsks) {
  const std::vector<Case> cases = sustained_cases();
  const Planned planned = case_named(cases, "sustained.gemm")
                              .plan(State({{"dtype", "bf16"}, {"m", "512"}, {"size", "8192"}}), device("h100_sxm"),
                                    Options{.sustained = Seconds(3)});
  EXPECT_EQ(std::get<Plan>(planned).fixed_time, Seconds(3));
  EXPECT_EQ(value_of(std::get<Plan>(planned).identity, "regime"), "sustained");
}

Planned collective(const std::string& kind, const std::string& ranks, int gpus) {
  return plan_of(collective_cases(), "collective.nccl", {{"kind", kind}, {"ranks", ranks}, {"bytes", "1024"}},
                 device("h100_sxm", gpus));
}

TEST(CollectiveCases, NeedAsManyGpusAsRanks) {
  EXPECT_THAT(reason_of(collective("all_reduce", "2", 1)), HasSubstr("2 GPUs are needed"));
  EXPECT_EQ(reason_of(collective("all_reduce", "2", 2)), "");
}

TEST(CollectiveCases, ShareTheirBytesEquallyAndAligned) {
  for (const char* ranks : {"2", "3", "4", "6", "8"}) {
    const CollectiveShape shape = collective_shape_of(std::get<Plan>(collective("all_gather", ranks, 8)).identity);
    EXPECT_GT(shape.bytes, 0);
    EXPECT_LE(shape.bytes, 1024);
    EXPECT_EQ(shape.bytes % (16 * shape.ranks), 0) << ranks;
    EXPECT_EQ(shape.send_bytes() * shape.ranks, shape.receive_bytes());
  }
}

TEST(CollectiveCases, BusFactorsAreThoseOfNcclTests) {
  const auto factor = [](CollectiveKind kind) { return bus_factor({.kind = kind, .bytes = 1024, .ranks = 8}); };
  EXPECT_DOUBLE_EQ(factor(CollectiveKind::all_reduce), 2 * 7.0 / 8);
  EXPECT_DOUBLE_EQ(factor(CollectiveKind::all_gather), 7.0 / 8);
  EXPECT_DOUBLE_EQ(factor(CollectiveKind::reduce_scatter), 7.0 / 8);
  EXPECT_DOUBLE_EQ(factor(CollectiveKind::alltoall), 7.0 / 8);
  EXPECT_DOUBLE_EQ(factor(CollectiveKind::send_recv), 1);
}

}  // namespace
}  // namespace mlosim::measure
