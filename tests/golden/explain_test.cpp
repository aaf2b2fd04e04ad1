// Golden: what `mlosim explain` says of one GEMM and of one decode step, word for word.
//
// A difference that is meant is taken over by running golden_tests with MLOSIM_REGENERATE=1 and looking at what
// changed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/support/run_command.hpp"
#include "tests/support/source_tree.hpp"

namespace {

using mlosim::support::read_text;
using mlosim::support::run_command;
using mlosim::support::shell_quoted;
using mlosim::support::source_dir;
using mlosim::support::write_text;

void expect_explanation(const std::string& arguments, const std::string& input, const std::string& name) {
  const auto result =
      run_command("env -u MLOSIM_PATH " + shell_quoted(MLOSIM_BINARY) + " explain " + arguments, source_dir(), input);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto file = source_dir() / "tests/golden/expected" / name;
  const char* regenerate = std::getenv("MLOSIM_REGENERATE");
  if (regenerate && std::string(regenerate) == "1") write_text(file, result.out);
  EXPECT_EQ(result.out, read_text(file));
}

TEST(Golden, ExplanationOfAGemm) {
  expect_explanation("-",
                     "schema: mlosim/workload/1\nname: a gemm\ntask: ops\nsystem: h100_sxm\n"
                     "ops: [{op: gemm, m: 4096, n: 4096, k: 4096, dtype: bf16}]\n",
                     "explain_gemm.txt");
}

TEST(Golden, ExplanationOfADecodeStep) {
  expect_explanation("models/workloads/llama-3.1-70b_decode_dgx_h200.yaml", "", "explain_decode.txt");
}

}  // namespace
