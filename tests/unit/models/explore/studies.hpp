// Studies that tests start from, with the built-in library.
#pragma once

#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"
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
