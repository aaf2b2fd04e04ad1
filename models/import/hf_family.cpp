#include "models/import/hf_family.hpp"

#include <array>

namespace mlosim::import {
namespace {

using graph::Architecture;
using graph::Biases;

constexpr Family kQwen3{.model_type = "qwen3", .qk_norm = true, .window = WindowRule::on_request};
constexpr Family kGemma3{.model_type = "gemma3",
                         .tied_embeddings = true,
                         .qk_norm = true,
                         .norms_per_layer = 4,
                         .window = WindowRule::sixth};
constexpr Family kLlama4{.model_type = "llama4", .shared_experts = 1};
constexpr Family kGpt2{.model_type = "gpt2",
                       .biases = Biases::all,
                       .tied_embeddings = true,
                       .gated = false,
                       .rms_norm = false,
                       .learned_positions = true};

constexpr Family named(std::string_view model_type, Family family) {
  family.model_type = model_type;
  return family;
}

constexpr Family encoder_of(std::string_view model_type, Family family) {
  family.model_type = model_type;
  family.architecture = Architecture::encoder;
  return family;
}

constexpr std::array kFamilies{
    Family{.model_type = "llama"},
    Family{.model_type = "mistral"},
    Family{.model_type = "mixtral"},
    Family{.model_type = "phi3"},
    Family{.model_type = "phimoe"},
    Family{.model_type = "mimo", .window = WindowRule::on_request},
    Family{.model_type = "mimo_v2_flash"},
    Family{.model_type = "minimax_m2"},
    Family{.model_type = "step3p7"},
    Family{.model_type = "deepseek_v2"},
    Family{.model_type = "deepseek_v3"},
    Family{.model_type = "deepseek_v32"},
    Family{.model_type = "kimi_k2"},
    Family{.model_type = "glm_moe_dsa"},
    Family{.model_type = "gpt_oss", .biases = Biases::all, .window = WindowRule::alternate},
    Family{.model_type = "qwen2", .biases = Biases::qkv, .window = WindowRule::on_request},
    kQwen3,
    named("qwen3_moe", kQwen3),
    named("qwen3_next", kQwen3),
    named("qwen3_vl", kQwen3),
    named("qwen3_vl_text", kQwen3),
    named("qwen3_vl_moe", kQwen3),
    named("qwen3_vl_moe_text", kQwen3),
    named("qwen3_5", kQwen3),
    named("qwen3_5_text", kQwen3),
    named("qwen3_5_moe", kQwen3),
    named("qwen3_5_moe_text", kQwen3),
    kLlama4,
    named("llama4_text", kLlama4),
    Family{.model_type = "gemma", .tied_embeddings = true},
    Family{.model_type = "gemma2", .tied_embeddings = true, .norms_per_layer = 4, .window = WindowRule::alternate},
    kGemma3,
    named("gemma3_text", kGemma3),
    kGpt2,
    encoder_of("bert", kGpt2),
    encoder_of("vit", kGpt2),
    Family{.model_type = "gpt_neox", .biases = Biases::all, .gated = false, .rms_norm = false, .parallel_block = true},
    Family{.model_type = "t5", .architecture = Architecture::encoder_decoder, .tied_embeddings = true, .gated = false},
};

}  // namespace

const Family* find_family(std::string_view model_type) {
  for (const Family& family : kFamilies) {
    if (family.model_type == model_type) return &family;
  }
  return nullptr;
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.model_type);
  return names;
}

}  // namespace mlosim::import
