// What the tests of models/predict run: workloads on the small library's machines.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/predict/predict.hpp"
#include "tests/unit/sim/spec/small_library.hpp"

namespace mlosim::predict {

inline constexpr const char* kDenseModel = "{layers: 4, hidden: 1024, heads: 16, kv_heads: 8, ffn: 4096, vocab: 32000}";
inline constexpr const char* kMoeModel =
    "{layers: 4, hidden: 1024, heads: 16, kv_heads: 8, ffn: 4096, vocab: 32000, moe: {experts: 8, experts_per_token: "
    "2, expert_ffn: 2048}}";

// A workload file's text: `rest` are its further members in flow form.
inline std::string workload_text(const std::string& task, const std::string& system, const std::string& rest) {
  return "{schema: mlosim/workload/1, name: w, task: " + task + ", system: " + system + ", " + rest + "}\n";
}

inline std::string decode_text(const std::string& rest = "", const std::string& system = "toy") {
  return workload_text("decode", system,
                       std::string("model: ") + kDenseModel + ", inference: {batch: 8, prompt: 512, output: 128}" +
                           (rest.empty() ? "" : ", " + rest));
}

// Reads and predicts texts as files of a small library.
class Desk {
 public:
  Workload read(const std::string& text, const WorkloadOptions& options = {}) {
    warnings.clear();
    return read_workload(small.library(), small.write("w.yaml", text), options, warnings);
  }
  // What is said of the text, without the file's name.
  std::string mistake(const std::string& text, const WorkloadOptions& options = {}) {
    try {
      read(text, options);
      return "none";
    } catch (const spec::InputError& error) {
      return error.what();
    }
  }
  Prediction predict(const std::string& text, const PredictOptions& options = {}) {
    return predict::predict(small.library(), small.write("w.yaml", text), options);
  }
  Prediction predict_with(const std::string& text, const std::vector<std::pair<std::string, std::string>>& settings,
                          chip::Fidelity fidelity = chip::Fidelity::analytic) {
    PredictOptions options;
    options.workload.settings = settings;
    options.fidelity = fidelity;
    return predict(text, options);
  }
  std::string prediction_mistake(const std::string& text) {
    try {
      predict(text);
      return "none";
    } catch (const spec::InputError& error) {
      return error.what();
    }
  }

  spec::SmallLibrary small;
  std::vector<std::string> warnings;
};

}  // namespace mlosim::predict
