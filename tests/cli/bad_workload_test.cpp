// Workloads that are well-formed and ask for what cannot be: refused in words, with what to write instead.
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class BadWorkload : public Workplace {};

std::string one_op(const std::string& op, const std::string& system = "h100_sxm") {
  return "schema: mlosim/workload/1\nname: op\ntask: ops\nsystem: " + system + "\nops:\n  - " + op + "\n";
}
const std::string kNode = with(kSmall, "h100_sxm", "dgx_h100");
const std::string kMoe = with(kNode, "llama-3.1-8b", "mixtral-8x7b");

TEST_F(BadWorkload, UnknownNamesAreAnsweredWithTheNearest) {
  expect_refused(predict(with(kSmall, "llama-3.1-8b", "llama-3.1-8")),
                 {"no model is called 'llama-3.1-8'", "did you mean 'llama-3.1-8b'?"});
  expect_refused(predict(with(kSmall, "h100_sxm", "h100_smx")),
                 {"no system or chip is called 'h100_smx'", "did you mean 'h100_sxm'?"});
  expect_refused(predict(with(kSmall, "task: decode", "task: decod")),
                 {"<stdin>:4:7: task: unknown task 'decod'", "did you mean 'decode'?"});
  expect_refused(predict(with(kSmall, "bf16", "bf61")), {"<stdin>:6:12: ", "did you mean 'bf16'?"});
  expect_refused(predict(one_op("{op: gem, m: 1, n: 1, k: 1}")),
                 {"<stdin>:6:10: ops.0.op: unknown value 'gem'", "did you mean 'gemm'?"});
  expect_refused(predict(one_op("{op: gemm, m: 1, n: 1, k: 1, dtype: bf61}")),
                 {"<stdin>:6:", "ops.0.dtype: ", "did you mean 'bf16'?"});
  expect_refused(predict(one_op("{op: gemm, m: 1, n: 1, kk: 1}")),
                 {"ops.0: ", "key 'k' is missing", "unknown key 'kk'"});
  expect_refused(predict(one_op("{op: collective, kind: all_reduc, bytes: 1, ranks: 2}", "dgx_h100")),
                 {"did you mean 'all_reduce'?"});
}

TEST_F(BadWorkload, AnUnknownRuntimeFallsBackWithAWarning) {
  const CommandResult result = predict(kSmall + "runtime: vlmm\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.err.find("did you mean 'vllm'?"), std::string::npos) << result.err;
}

TEST_F(BadWorkload, UnknownNamesHaveTheirPlace) {
  expect_refused(predict(with(kSmall, "llama-3.1-8b", "llama-3.1-8")), {"<stdin>:3:8: "});
  expect_refused(predict(with(kSmall, "h100_sxm", "h100_smx")), {"<stdin>:5:9: "});
}

TEST_F(BadWorkload, ServingAndWhatBelongsToTrainingAreRefusedInWords) {
  expect_refused(predict(with(kSmall, "task: decode", "task: serve")),
                 {"<stdin>:4:7: ", "task 'serve' is not modelled", "train, prefill, decode, generate and ops"});
  expect_refused(predict(kNode + "parallelism: {tp: 8, zero: 1}\n"), {"'zero' belongs to training"});
  expect_refused(predict(with(kSmall, "precision: bf16", "precision: {weights: bf16, gradients: bf16}")),
                 {"'gradients' belongs to the task 'train'"});
}

TEST_F(BadWorkload, StagesAndContextRanksThatCannotBeAreRefusedWithTheirPlace) {
  expect_refused(predict(kNode + "parallelism: {pp: 64}\n"),
                 {"parallelism.pp: 32 layers do not reach for 64 stages", "fewer stages"});
  expect_refused(predict(with(kNode, "llama-3.1-8b", "qwen3.5-397b-a17b") + "parallelism: {tp: 2, cp: 4}\n"),
                 {"parallelism.cp: linear attention", "use tp or dp"});
  expect_refused(predict(with(kNode, "llama-3.1-8b", "t5-small") + "parallelism: {pp: 2}\n"),
                 {"parallelism.pp: ", "encoder-decoder"});
}

TEST_F(BadWorkload, FormatsThatAChipHasNotAreNamedWithThoseThatItHas) {
  const std::string fp8 = with(kSmall, "bf16", "fp8");
  expect_refused(predict(with(fp8, "h100_sxm", "a100_sxm_80gb")),
                 {"a100_sxm_80gb has no fp8 arithmetic", "activations"});
  expect_refused(predict(with(kSmall, "h100_sxm", "v100_sxm2_32gb")),
                 {"v100_sxm2_32gb has no bf16 arithmetic", "fp16"});
  expect_refused(predict(with(kSmall, "bf16", "nvfp4")), {"h100_sxm has no nvfp4 arithmetic"});
  expect_refused(predict(one_op("{op: gemm, m: 8, n: 8, k: 8, dtype: fp8}", "a100_sxm_80gb")),
                 {"a100_sxm_80gb has no fp8 arithmetic", "it has ", "bf16"});
  expect_refused(
      predict(one_op("{op: attention_prefill, seq_q: 8, heads: 1, head_dim: 64, dtype: bf16}", "v100_sxm2_32gb")),
      {"v100_sxm2_32gb has no bf16 arithmetic"});
  expect_refused(predict(one_op("{op: moe_gemm, tokens: 8, hidden: 64, inter: 64, experts: 4, topk: 2, dtype: nvfp4}")),
                 {"h100_sxm has no nvfp4 arithmetic"});
  expect_refused(predict(one_op("{op: gemm, m: 8, n: 8, k: 8, dtype: int4}")),
                 {"<stdin>:6:", "int4 is a format of weights only"});
}

TEST_F(BadWorkload, AFormatOfWeightsAloneNeedsNoArithmetic) {
  EXPECT_EQ(predict(with(with(kSmall, "h100_sxm", "a100_sxm_80gb"), "precision: bf16",
                         "precision: {weights: fp8, activations: bf16}"))
                .exit_code,
            0);
  EXPECT_EQ(predict(with(kSmall, "bf16", "int4")).exit_code, 0);
}

TEST_F(BadWorkload, ParallelismThatCutsUnevenlyIsRefused) {
  expect_refused(predict(kNode + "parallelism: {tp: 3}\n"),
                 {"<stdin>:8:19: parallelism.tp: ", "32 heads cannot be cut 3 ways"});
  expect_refused(predict(kNode + "parallelism: {ep: 2}\n"), {"parallelism.ep: ", "the model has no experts"});
  expect_refused(predict(kNode + "parallelism: {moe_tp: 2}\n"), {"parallelism.moe_tp: ", "the model has no experts"});
  expect_refused(predict(kMoe + "parallelism: {tp: 2, ep: 8, attention_dp: 2}\n"),
                 {"<stdin>:8:14: parallelism: ", "ep 8 x moe_tp 1 is not tp 2 x attention_dp 2"});
  expect_refused(predict(kNode + "parallelism: {dp: 3}\n"), {"a batch of 8 does not divide over 3 replicas"});
  expect_refused(predict(kNode + "parallelism: {tp: 0}\n"), {"parallelism.tp: '0' is less than 1"});
  expect_refused(predict(kNode + "parallelism: {tp: 4}\nchips: 6\n"), {"6 chips do not fit"});
}

TEST_F(BadWorkload, MoreChipsThanThereAreAreRefused) {
  expect_refused(predict(kSmall + "chips: 2\n"), {"h100_sxm is one chip", "dgx_"});
  expect_refused(predict(one_op("{op: collective, kind: all_reduce, bytes: 1 MB, ranks: 17}", "dgx_h100")),
                 {"17 ranks do not fill nodes of 8 chips"});
  expect_refused(predict(one_op("{op: collective, kind: all_reduce, bytes: 1 MB, ranks: 8}")),
                 {"h100_sxm is one chip"});
  expect_refused(predict(one_op("{op: collective, kind: all_reduce, bytes: 1 MB, ranks: 1}", "dgx_h100")),
                 {"<stdin>:6:", "ranks"});
  expect_refused(predict(one_op("{op: collective, kind: all_reduce, bytes: 0, ranks: 8}", "dgx_h100")),
                 {"<stdin>:6:", "bytes"});
}

TEST_F(BadWorkload, OperatorsWithShapesThatCannotBeAreRefused) {
  expect_refused(predict(one_op("{op: attention_decode, seq_kv: 8, heads: 8, kv_heads: 3, head_dim: 64}")),
                 {"kv_heads", "3 does not divide 8 heads"});
  expect_refused(predict(one_op("{op: attention_prefill, seq_q: 16, seq_kv: 8, heads: 8, head_dim: 64}")),
                 {"seq_q", "at most seq_kv"});
  expect_refused(predict(one_op("{op: moe_gemm, tokens: 8, hidden: 64, inter: 64, experts: 4, topk: 8}")),
                 {"topk", "8 of 4 experts"});
  expect_refused(
      predict(
          one_op("{op: moe_gemm, tokens: 8, hidden: 64, inter: 64, experts: 4, topk: 2, distribution: power_law_x}")),
      {"distribution", "power_law_1.2"});
  expect_refused(predict(one_op("gemm")), {"<stdin>:6:5: ops.0"});
  expect_refused(predict("schema: mlosim/workload/1\ntask: ops\nsystem: h100_sxm\nops: []\n"), {"ops: ", "empty"});
  expect_refused(predict("schema: mlosim/workload/1\ntask: ops\nsystem: h100_sxm\n"), {"ops: ", "needs a list"});
}

TEST_F(BadWorkload, SizesBeyondMeaningAreRefused) {
  for (const char* op :
       {"{op: gemm, m: 9e15, n: 9e15, k: 9e15}", "{op: attention_prefill, seq_q: 9e15, heads: 8, head_dim: 128}",
        "{op: attention_decode, batch: 9e15, seq_kv: 9e15, heads: 9e15, head_dim: 9e15}",
        "{op: moe_gemm, tokens: 9e15, hidden: 9e15, inter: 9e15, experts: 9e15, topk: 9e15}",
        "{op: moe_gemm, tokens: 4, hidden: 8, inter: 8, experts: 9e15, topk: 1, distribution: power_law_1.2}",
        "{op: softmax, rows: 9e15, cols: 9e15}", "{op: mla_decode, batch: 9e15, seq_kv: 9e15, heads: 9e15}",
        "{op: mla_prefill, batch: 9e15, seq_q: 9e15, heads: 9e15}",
        "{op: embedding, tokens: 9e15, hidden: 9e15, vocab: 9e15}", "{op: sampling, rows: 9e15, vocab: 9e15}"}) {
    expect_refused(predict(one_op(op)), {"<stdin>:6:", "ops.0", "is beyond what can be meant"});
  }
  expect_refused(predict(with(kSmall, "prompt: 1024", "prompt: 2e9")), {"<stdin>:7:", "beyond what can be meant"});
}

TEST_F(BadWorkload, AnEncoderGeneratesNoTokens) {
  expect_refused(predict(with(with(kSmall, "llama-3.1-8b", "bert-large"), "1024", "256")),
                 {"encoder", "task: prefill"});
}

TEST_F(BadWorkload, TheRuntimesFieldsAreChecked) {
  expect_refused(predict(kSmall + "runtime: {framework: vllm, graph: true}\n"),
                 {"<stdin>:8:", "unknown key 'graph'", "did you mean 'graphs'?"});
  expect_refused(predict(kSmall + "runtime: {graphs: yes}\n"), {"<stdin>:8:", "expected true or false"});
  expect_refused(predict(kSmall + "runtime: {fusion: most}\n"), {"<stdin>:8:", "default"});
}

}  // namespace
}  // namespace mlosim::cli_test
