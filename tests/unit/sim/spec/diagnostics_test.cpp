#include "sim/spec/diagnostics.hpp"

#include <gtest/gtest.h>

namespace mlosim::spec {
namespace {

TEST(Diagnostics, AMistakeSaysWhereWhatAndWhatInstead) {
  EXPECT_EQ(render_diagnostic({{"chip.yaml", 3, 7}, "chip.clock", "'4' has no unit", "expected a rate"}),
            "chip.yaml:3:7: chip.clock: '4' has no unit; expected a rate");
}

TEST(Diagnostics, PartsThatThereAreNotAreLeftOut) {
  EXPECT_EQ(render_diagnostic({{"chip.yaml", 0, 0}, "", "the file is empty", ""}), "chip.yaml: the file is empty");
  EXPECT_EQ(render_diagnostic({{}, "", "no chip is called 'x'", ""}), "no chip is called 'x'");
  EXPECT_EQ(render_diagnostic({{}, "a.b", "wrong", "right"}), "a.b: wrong; right");
}

TEST(Diagnostics, AllMistakesAreInOneError) {
  Diagnostics diagnostics;
  diagnostics.add({{"f", 1, 1}, "", "first", ""});
  diagnostics.add({{"f", 2, 1}, "", "second", ""});
  try {
    diagnostics.throw_if_any();
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "f:1:1: first\nf:2:1: second");
    EXPECT_EQ(error.diagnostics().size(), 2U);
  }
}

TEST(Diagnostics, WithoutMistakesNothingIsThrown) {
  const Diagnostics diagnostics;
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_NO_THROW(diagnostics.throw_if_any());
}

}  // namespace
}  // namespace mlosim::spec
