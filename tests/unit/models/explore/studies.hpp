// Studies that tests start from, with the built-in library.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/explore/blueprint.hpp"
#include "models/explore/evaluator.hpp"
#include "models/explore/overlay.hpp"
#include "models/explore/space.hpp"
#include "models/explore/study.hpp"
#include "sim/spec/library.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::explore {

inline const spec::Library& library() {
  static const spec::Library built_in({support::source_dir().string()});
  return built_in;
}

inline const std::string kDecode =
    "{schema: mlosim/workload/1, name: d, model: llama-3.1-8b, task: decode, system: dgx_h100, precision: bf16, "
    "parallelism: {tp: 2}, inference: {batch: 8, prompt: 1024, output: 128}}";
inline const std::string kTrain =
    "{schema: mlosim/workload/1, name: t, model: llama-3.1-8b, task: train, system: dgx_h100, chips: 16, precision: "
    "bf16, parallelism: {tp: 2}, train: {global_batch: 64, micro_batch: 1, sequence: 4096}}";

inline std::string study_text(const std::string& workload, const std::string& rest) {
  return "schema: mlosim/study/1\nname: s\nworkload: " + workload + "\n" + rest;
}

inline Study study_of(const std::string& text) { return decode_study(spec::parse_document(text, "s.yaml"), "s"); }

inline Blueprint blueprint_of(const std::string& text) {
  std::vector<std::string> warnings;
  return draw_blueprint(library(), study_of(text), warnings);
}

// What predict() says of the document with the point's keys. Throws spec::InputError.
inline predict::Prediction predict_point(const Blueprint& b, const std::vector<double>& at,
                                         const std::vector<double>& slots) {
  spec::Value document = b.workloads.front().document;
  for (const spec::Override& change : settings_of(b, 0, at, slots)) lay_over(document, change.path, change.value);
  predict::PredictOptions options;
  options.fidelity = b.study.fidelity;
  options.sensitivities = false;
  options.residuals = &b.residuals;
  std::vector<std::string> said;
  return predict::predict(library(), predict::decode_workload(library(), std::move(document), "", {}, said), options);
}

// All mistakes of a study; empty where there is none.
inline std::string mistakes_of(const std::string& text) {
  try {
    blueprint_of(text);
  } catch (const spec::InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace mlosim::explore
