// What a Hugging Face `model_type` means beyond its keys: the parts of the network that its modelling code fixes and
// its config.json does not say. Read in huggingface/transformers src/transformers/models/<model_type>.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/graph/model.hpp"

namespace mlosim::import {

// Which layers a `sliding_window` applies to where no `layer_types` says so.
enum class WindowRule {
  on_request,  // only with use_sliding_window: true, from layer max_window_layers on (Qwen)
  all,         // every layer (Mistral, Phi-3)
  alternate,   // every second layer sees all (Gemma 2, gpt-oss)
  sixth,       // every sixth layer sees all (Gemma 3)
};

struct Family {
  std::string_view model_type;
  graph::Architecture architecture = graph::Architecture::decoder;
  graph::Biases biases = graph::Biases::none;
  bool tied_embeddings = false;  // where tie_word_embeddings is missing
  bool gated = true;
  bool rms_norm = true;
  bool qk_norm = false;
  bool parallel_block = false;
  bool learned_positions = false;
  std::int64_t norms_per_layer = 2;
  WindowRule window = WindowRule::all;
  std::int64_t shared_experts = 0;  // always there, without a key (Llama 4)
};

// Null where the family is not known.
const Family* find_family(std::string_view model_type);
std::vector<std::string> family_names();

}  // namespace mlosim::import
