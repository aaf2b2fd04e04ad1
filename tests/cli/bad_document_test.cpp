// Files that are no YAML, or YAML that means nothing: refused with their place, never a crash.
#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class BadDocument : public Workplace {
 protected:
  // Predicts a file of that text.
  CommandResult predict_file(const std::string& text) const {
    write("w.yaml", text);
    return mlosim("predict w.yaml");
  }
};

TEST_F(BadDocument, AMissingFileAFolderAndAnEmptyFileAreNamed) {
  expect_refused(mlosim("predict nothing.yaml"), {"nothing.yaml", "cannot be read"});
  expect_refused(mlosim("predict ./nothing"), {"./nothing", "cannot be read"});
  expect_refused(mlosim("predict /"), {"/: this is a folder"});
  expect_refused(predict_file(""), {"w.yaml", "empty"});
  expect_refused(predict_file("# a comment alone\n"), {"w.yaml"});
  expect_refused(predict_file("\n\n   \n"), {"w.yaml"});
  expect_refused(predict(""), {"<stdin>", "empty"});
}

TEST_F(BadDocument, AnUnknownKeyIsNamedWithItsPlaceAndTheNearestSpelling) {
  expect_refused(predict_file(kSmall + "precison: bf16\n"),
                 {"w.yaml:8:1: ", "unknown key 'precison'", "did you mean 'precision'?"});
  expect_refused(predict_file(with(kSmall, "{batch: 8, ", "{batch: 8, bach: 9, ")),
                 {"w.yaml:7:23: inference: ", "unknown key 'bach'", "did you mean 'batch'?"});
  expect_refused(predict_file(with(kSmall, "model: llama-3.1-8b\n", "model:\n  name: m\n  layrs: 3\n")),
                 {"w.yaml:5:3: model: ", "unknown key 'layrs'", "did you mean 'layers'?"});
}

TEST_F(BadDocument, AllMistakesOfAFileAreReportedInOneRun) {
  const std::string text = with(with(with(kSmall, "precision: bf16", "precision: bf61"), "batch: 8", "batch: 0"),
                                "output: 128", "outputs: 128") +
                           "speed: fast\n";
  expect_refused(
      predict_file(text),
      {"w.yaml:6:12: precision: unknown value 'bf61'", "w.yaml:7:20: inference.batch: '0' is less than 1",
       "w.yaml:7:37: inference: unknown key 'outputs'", "did you mean 'output'?", "w.yaml:8:1: unknown key 'speed'"});
}

TEST_F(BadDocument, NoMistakeIsReportedTwice) {
  const CommandResult result = predict(kSmall, "--set 'chip.hbm=3 TB/s'");
  EXPECT_EQ(result.exit_code, 2);
  const std::string line = "chip.hbm: expected members";
  const std::size_t first = result.err.find(line);
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find(line, first + 1), std::string::npos) << result.err;
}

TEST_F(BadDocument, AMissingKeyIsNamed) {
  for (const char* key : {"task", "system", "model", "inference"}) {
    std::string text;
    for (const std::string& line : {std::string("schema: mlosim/workload/1\n"), std::string("model: llama-3.1-8b\n"),
                                    std::string("task: decode\n"), std::string("system: h100_sxm\n"),
                                    std::string("inference: {batch: 8, prompt: 1024, output: 128}\n")}) {
      if (line.rfind(key, 0) != 0) text += line;
    }
    expect_refused(predict_file(text), {"w.yaml:1:1: ", "'" + std::string(key) + "' is missing"});
  }
  expect_refused(predict_file(with(kSmall, "schema: mlosim/workload/1\n", "")),
                 {"w.yaml:1:1: key 'schema' is missing", "mlosim/workload/1"});
  expect_refused(predict_file(with(kSmall, "workload/1", "workload/2")), {"w.yaml:1:9: ", "mlosim/workload/1"});
  expect_refused(predict_file(with(kSmall, "prompt: 1024, ", "")), {"w.yaml:7:12: inference: key 'prompt' is missing"});
}

TEST_F(BadDocument, ADuplicateKeyIsRefusedWithTheLineOfTheFirst) {
  expect_refused(predict_file(kSmall + "task: prefill\n"), {"w.yaml:8:1: key 'task' appears twice", "line 4"});
  expect_refused(predict_file(with(kSmall, "{batch: 8, ", "{batch: 8, batch: 8, ")),
                 {"w.yaml:7:23: key 'batch' appears twice"});
}

TEST_F(BadDocument, NumbersThatAreNoneOrHaveNoBusinessHereAreRefused) {
  for (const char* number :
       {".nan",  "NaN", ".inf", "-.inf",  "inf",  "-1",   "0",     "1e308", "1e400", "-1e308", "1.5",
        "eight", "''",  "[8]",  "{a: 1}", "8 GB", "0x10", "1_000", "8 8",   "+-8",   "true"}) {
    const CommandResult result = predict_file(with(kSmall, "batch: 8", std::string("batch: ") + number));
    EXPECT_EQ(result.exit_code, 2) << number << result.out;
    EXPECT_NE(result.err.find("w.yaml:7:20: inference.batch: "), std::string::npos) << number << ": " << result.err;
  }
}

TEST_F(BadDocument, ALeadingZeroIsNoOctalNumber) {
  EXPECT_EQ(predict(with(kSmall, "batch: 8", "batch: 010")).out, predict(with(kSmall, "batch: 8", "batch: 10")).out);
}

TEST_F(BadDocument, AQuantityNeedsItsUnitAndTheRightOne) {
  const auto with_bandwidth = [&](const std::string& text) {
    return predict_file(kSmall + "overrides: {chip.hbm.bandwidth: " + text + "}\n");
  };
  expect_refused(with_bandwidth("3350"),
                 {"w.yaml:8:33: chip.hbm.bandwidth: '3350' has no unit", "data rate (such as 4.8 TB/s)"});
  expect_refused(with_bandwidth("3350 GB"), {"w.yaml:8:33: ", "'3350 GB' is a size", "expected a data rate"});
  expect_refused(with_bandwidth("3350 Gbs"), {"'Gbs' is not a unit"});
  expect_refused(with_bandwidth("-3 TB/s"), {"must be greater than zero"});
  expect_refused(with_bandwidth("0 TB/s"), {"must be greater than zero"});
  expect_refused(with_bandwidth("1e308 TB/s"), {"out of range"});
  expect_refused(with_bandwidth(".nan"), {"is not a number"});
  expect_refused(with_bandwidth("3 TB/"), {"ends where a unit is due"});
}

TEST_F(BadDocument, ValuesThatAreLegalAndAbsurdAreAnsweredOrRefusedButNeverABug) {
  for (const char* setting : {"chip.hbm.bandwidth=1e-300 B/s", "chip.hbm.bandwidth=1e290 TB/s", "chip.clock=1e-290 Hz",
                              "chip.gemm.fixed=1e200 s", "chip.units=9e15", "chip.units=1", "chip.hbm.latency=1e30 s",
                              "chip.power.cap=1e-200 W", "chip.l2.capacity=1e-100 B", "chip.hbm.capacity=1e-100 B",
                              "inference.batch=900000000", "inference.prompt=90000000000", "model.layers=1e15",
                              "model.vocab=9e15", "model.hidden=9e15", "runtime.step_overhead=1e12 s",
                              "chip.launch.step=1 day", "chip.hbm.bandwidth=1e-320 B/s"}) {
    const CommandResult result = predict(kSmall, "--format json --set '" + std::string(setting) + "'");
    EXPECT_LE(result.exit_code, 2) << setting << ": " << result.err;
    if (result.exit_code <= 1) {
      EXPECT_TRUE(nlohmann::json::accept(result.out)) << setting << ": " << result.out;
    }
    EXPECT_EQ(result.out.find("\"time_s\": null"), std::string::npos) << setting << ": the time is no number";
  }
}

TEST_F(BadDocument, DeepNestingStopsWithAMessage) {
  const std::size_t size = 10'000'000;
  expect_refused(predict_file(std::string(size, '[')), {"w.yaml", "at most 4 MiB"});
  expect_refused(predict_file(std::string(size, '{')), {"w.yaml", "at most 4 MiB"});
  expect_refused(predict(std::string(size, '[')), {"<stdin>"});
  expect_refused(predict_file(std::string(4'000'000, '[')), {"w.yaml:1:", "nested deeper"});
  expect_refused(predict_file(std::string(4'000'000, '{')), {"w.yaml:1:", "nested deeper"});
  std::string blocks, flows;
  for (int i = 0; i < 1'000'000; ++i) blocks += "- ", flows += "a: {";
  expect_refused(predict_file(blocks), {"w.yaml", "nested deeper"});
  expect_refused(predict_file(flows), {"w.yaml"});
}

TEST_F(BadDocument, AnAliasBombStopsWithAMessage) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k) text += ", " + last;
    text += "]\n";
  }
  expect_refused(predict_file(kSmall + text), {"w.yaml", "aliases counted each time"});
  expect_refused(predict_file(kSmall + "loop: &loop [*loop]\n"), {"w.yaml"});
}

TEST_F(BadDocument, MergeKeysTagsAndSecondDocumentsAreRefused) {
  expect_refused(predict_file(kSmall + "<<: {task: prefill}\n"), {"w.yaml:8:1: ", "merge keys"});
  expect_refused(predict_file(kSmall + "---\n" + kSmall), {"w.yaml", "second document"});
  expect_refused(predict_file(with(kSmall, "task: decode", "task: &a")), {"w.yaml"});
}

TEST_F(BadDocument, TextThatIsNoMappingAndGarbageAreRefused) {
  for (const std::string& text : {std::string("just text\n"), std::string("[1, 2]\n"), std::string("42\n"),
                                  std::string("- a\n- b\n"), std::string("a: b: c\n"), std::string("a: [1\n"),
                                  std::string("\t- a\n"), std::string("\"unfinished\n"), std::string("%YAML 9\n---\na"),
                                  std::string("*nothing\n"), std::string("? [a]\n: b\n"), std::string(100, '\0')}) {
    expect_refused(predict_file(text), {"w.yaml"});
  }
  std::string garbage;
  for (int i = 0; i < 20'000; ++i) garbage += static_cast<char>((i * 7919 + i / 256 * 31) & 0xFF);
  expect_refused(predict_file(garbage), {"w.yaml"});
  expect_refused(mlosim(std::string("predict ./") + "w.yaml --set task=\xff\xfe"), {});
}

}  // namespace
}  // namespace mlosim::cli_test
