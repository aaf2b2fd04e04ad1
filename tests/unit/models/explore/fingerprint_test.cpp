#include "models/explore/fingerprint.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/unit/models/explore/studies.hpp"

namespace mlosim::explore {
namespace {

// A study whose files are in a folder of their own, and may change there.
class Fingerprint : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  void copy(const std::string& file, const std::string& name, const std::string& from = "",
            const std::string& to = "") {
    std::string text = support::read_text(support::source_dir() / file);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    support::write_text(path(name), text.replace(at, from.size(), to));
  }

  std::string of(const std::string& axes) const {
    std::vector<std::string> warnings;
    const spec::Library with_tables({folder_.path().string(), support::source_dir().string()});
    const std::string text = study_text(kDecode, "axes: {" + axes + "}\nobjectives: time_s\n");
    return draw_blueprint(with_tables, study_of(text), warnings).fingerprint;
  }

 private:
  support::TemporaryDirectory folder_;
};

TEST_F(Fingerprint, AnotherStudyHasAnotherFingerprint) {
  const std::string rest = "objectives: time_s\n";
  const auto fingerprint = [&](const std::string& axes) {
    return blueprint_of(study_text(kDecode, axes + rest)).fingerprint;
  };
  const std::string base = fingerprint("axes: {inference.batch: [1, 2]}\n");
  EXPECT_EQ(fingerprint("axes: {inference.batch: [1, 2]}\n"), base);
  EXPECT_NE(fingerprint("axes: {inference.batch: [1, 3]}\n"), base);
  EXPECT_NE(fingerprint("axes: {inference.batch: [1, 2]}\noverrides: {chip.l2.capacity: 1 MiB}\n"), base);
}

TEST_F(Fingerprint, HasTheModelsThatAxesName) {
  const std::string axes = "model: [llama-3.1-8b, " + path("m.yaml") + "]";
  copy("models/zoo/llama-3.1-8b.yaml", "m.yaml");
  const std::string before = of(axes);
  EXPECT_EQ(of(axes), before);
  copy("models/zoo/llama-3.1-8b.yaml", "m.yaml", "layers: 32", "layers: 30");
  EXPECT_NE(of(axes), before);
}

TEST_F(Fingerprint, HasTheMachinesThatLinkedAxesName) {
  const std::string axes =
      "both: [{system: dgx_h100, parallelism.tp: 2}, {system: " + path("c.yaml") + ", parallelism.tp: 1}]";
  copy("hw_specs/chips/h100_sxm.yaml", "c.yaml");
  const std::string before = of(axes);
  copy("hw_specs/chips/h100_sxm.yaml", "c.yaml", "1980 MHz", "1981 MHz");
  EXPECT_NE(of(axes), before);
}

TEST_F(Fingerprint, HasTheStacksThatAxesName) {
  const std::string axes = "runtime.framework: [vllm, " + path("r.yaml") + "]";
  copy("models/runtimes/vllm.yaml", "r.yaml");
  const std::string before = of(axes);
  EXPECT_EQ(of(axes), before);
  copy("models/runtimes/vllm.yaml", "r.yaml", "name: vllm", "name: vllm-other");
  EXPECT_NE(of(axes), before);
}

TEST_F(Fingerprint, HasTheTablesThatPredictionsStartFrom) {
  const std::string axes = "inference.batch: [1, 2]";
  const std::string before = of(axes);
  std::filesystem::create_directories(path("hw_specs"));
  copy("hw_specs/economics.yaml", "hw_specs/economics.yaml");
  EXPECT_EQ(of(axes), before) << "what counts is what a file says";
  copy("hw_specs/economics.yaml", "hw_specs/economics.yaml", "value: 1.3,", "value: 1.4,");
  EXPECT_NE(of(axes), before);
}

}  // namespace
}  // namespace mlosim::explore
