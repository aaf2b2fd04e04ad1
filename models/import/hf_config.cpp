#include "models/import/hf_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/import/hf_family.hpp"
#include "models/import/hf_keys.hpp"
#include "models/import/hf_layers.hpp"
#include "models/import/hf_quantisation.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::import {
namespace {

using graph::Architecture;
using graph::Biases;
using graph::ModelSpec;

void import_widths(spec::Node& node, ModelSpec& m) {
  m.layers = require_count_of(node, {"num_hidden_layers", "n_layer", "num_layers"});
  m.hidden = require_count_of(node, {"hidden_size", "n_embd", "d_model"});
  m.heads = require_count_of(node, {"num_attention_heads", "n_head", "num_heads"});
  m.kv_heads = count_of(node, {"num_key_value_heads"}, m.heads, 1);
  m.head_dim = count_of(node, {"head_dim", "d_kv"}, std::max<std::int64_t>(1, m.hidden / m.heads), 1);
  m.v_head_dim = count_of(node, {"v_head_dim"}, m.head_dim, 1);
  m.ffn =
      count_of(node, {"intermediate_size_mlp", "dense_intermediate_size", "intermediate_size", "n_inner", "d_ff"}, 0);
  const bool gpt2 = node.has("n_embd");
  if (m.ffn == 0 && gpt2) m.ffn = 4 * m.hidden;
  if (m.heads % m.kv_heads != 0) {
    node.fail_at("num_key_value_heads",
                 fmt::format("{} heads cannot be shared evenly by {} KV heads", m.heads, m.kv_heads));
    m.kv_heads = m.heads;
  }
  graph::check_sizes(node, m);
}

void import_activation(spec::Node& node, const Family& family, ModelSpec& m) {
  m.gated = family.gated;
  const auto key = first_present(node, {"hidden_act", "hidden_activation", "activation_function", "feed_forward_proj"});
  const std::string word = key ? node.child(*key).as_text()
                               : (family.gated                                           ? "silu"
                                  : family.architecture == Architecture::encoder_decoder ? "relu"
                                                                                         : "gelu");
  if (word.rfind("gated", 0) == 0) m.gated = true;
  if (word.find("gelu") != std::string::npos) {
    m.activation = graph::Activation::gelu;
  } else if (word == "silu" || word == "swish" || word == "gated-silu") {
    m.activation = graph::Activation::silu;
  } else if (word == "relu" || word == "gated-relu") {
    m.activation = graph::Activation::relu;
  } else {
    node.fail_at(*key, fmt::format("the activation '{}' is not modelled", word), "gelu, relu or silu");
  }
}

void import_ends(spec::Node& node, const Family& family, ModelSpec& m) {
  if (family.model_type == "vit") {
    m.image = node.count_or("image_size", 224);
    m.patch = node.count_or("patch_size", 16);
    m.channels = node.count_or("num_channels", 3);
    m.classes = node.child("id2label").is_mapping()
                    ? static_cast<std::int64_t>(node.child("id2label").value()->members.size())
                    : count_of(node, {"num_labels"}, 0);
    graph::check_sizes(node, m);
    m.positions = m.image_tokens();
    return;
  }
  m.vocab = node.require_count("vocab_size");
  if (family.learned_positions) m.positions = require_count_of(node, {"max_position_embeddings", "n_positions"});
  m.token_types = count_of(node, {"type_vocab_size"}, 0);
}

void import_form(spec::Node& node, const Family& family, ModelSpec& m) {
  m.biases = family.biases;
  if (m.biases == Biases::none && (is_active(node, "attention_bias") || is_active(node, "qkv_bias")))
    m.biases = Biases::qkv;
  m.rms_norm = family.rms_norm;
  m.norms_per_layer = family.norms_per_layer;
  m.qk_norm = node.has("use_qk_norm") ? is_active(node, "use_qk_norm") : family.qk_norm;
  m.output_gate = is_active(node, "attn_output_gate") || is_active(node, "attention_output_gate") ||
                  family.model_type == "qwen3_next";
  m.parallel_block =
      node.has("use_parallel_residual") ? is_active(node, "use_parallel_residual") : family.parallel_block;
  if (family.architecture == Architecture::encoder_decoder) {
    m.encoder_layers = m.layers;
    m.layers = count_of(node, {"num_decoder_layers"}, m.layers, 1);
    graph::check_sizes(node, m);
  }
}

// `root` carries what stands outside a multimodal model's text_config.
ModelSpec import_text_model(spec::Node& root, spec::Node& text, const Family& family) {
  ModelSpec m;
  m.name = text.text_or("_name_or_path", "");
  if (m.name.empty()) m.name = root.text_or("_name_or_path", "");
  if (m.name.empty()) m.name = family.model_type;
  m.architecture = family.architecture;
  import_widths(text, m);
  import_form(text, family, m);
  import_activation(text, family, m);
  import_ends(text, family, m);
  import_attention(text, family, m);
  import_experts(text, family, m);
  if (!m.moe && m.ffn == 0) text.require_count("intermediate_size");
  spec::Node& ties = text.has("tie_word_embeddings") ? text : root;
  m.tied_embeddings = ties.has("tie_word_embeddings") ? is_active(ties, "tie_word_embeddings") : family.tied_embeddings;
  graph::check_sizes(text, m);
  import_quantisation(
      text.has("quantization_config") ? text.child("quantization_config") : root.child("quantization_config"), m);
  return m;
}

}  // namespace

bool is_hf_config(const spec::Value& document) {
  return document.is_mapping() && !document.find("schema") &&
         (document.find("model_type") || document.find("architectures"));
}

ModelSpec import_hf_config(spec::Node node) {
  const bool nested = node.has("text_config");
  spec::Node text = nested ? node.require_mapping("text_config") : node;
  if (refuse_unknown_mechanisms(text)) return {};
  const std::string outer = node.require_text("model_type");
  const std::string model_type = nested ? text.text_or("model_type", outer) : outer;
  const Family* family = find_family(model_type);
  if (!family) {
    text.fail_at("model_type", fmt::format("the model type '{}' is not read", model_type),
                 spec::spelling_hint(model_type, family_names()));
    return {};
  }
  if (nested) node.warn("the text model alone is read; the vision tower is left out");
  return import_text_model(node, text, *family);
}

}  // namespace mlosim::import
