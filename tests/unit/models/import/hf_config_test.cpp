#include "models/import/hf_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::import {
namespace {

using graph::ModelSpec;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Imported {
  ModelSpec model;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

Imported import_document(const spec::Value& document) {
  spec::Decoding decoding;
  Imported imported;
  imported.model = import_hf_config(spec::Node(&document, "model", &decoding));
  for (const spec::Diagnostic& diagnostic : decoding.diagnostics.list())
    imported.errors.push_back(render_diagnostic(diagnostic));
  imported.warnings = decoding.warnings;
  return imported;
}

Imported import_text(const std::string& json) { return import_document(spec::parse_document(json, "config.json")); }

// `more` begins with a comma.
std::string config(const std::string& model_type, const std::string& more) {
  return "{\"architectures\": [\"X\"], \"model_type\": \"" + model_type +
         "\", \"hidden_size\": 64, \"num_hidden_layers\": 4, \"num_attention_heads\": 4, \"intermediate_size\": 96, "
         "\"vocab_size\": 1000" +
         more + "}";
}

TEST(HfConfig, IsToldFromAModelOfOursByItsKeys) {
  EXPECT_TRUE(is_hf_config(spec::parse_document(config("llama", ""), "config.json")));
  EXPECT_TRUE(is_hf_config(spec::parse_document("{architectures: [LlamaForCausalLM]}", "config.json")));
  EXPECT_FALSE(is_hf_config(spec::parse_document("{schema: mlosim/model/1, model_type: llama}", "m.yaml")));
  EXPECT_FALSE(is_hf_config(spec::parse_document("{layers: 4}", "m.yaml")));
  EXPECT_FALSE(is_hf_config(spec::parse_document("[model_type]", "m.yaml")));
}

TEST(HfConfig, ReadsALlamaAndPassesOverWhatHasNoShape) {
  const Imported i = import_text(config(
      "llama",
      R"(, "num_key_value_heads": 2, "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 8.0}, "use_cache": true)"));
  EXPECT_THAT(i.errors, IsEmpty());
  EXPECT_THAT(i.warnings, IsEmpty());
  EXPECT_EQ(i.model.layers, 4);
  EXPECT_EQ(i.model.kv_heads, 2);
  EXPECT_EQ(i.model.head_dim, 16);
  EXPECT_EQ(i.model.ffn, 96);
  EXPECT_FALSE(i.model.tied_embeddings);
  EXPECT_FALSE(i.model.qk_norm);
}

TEST(HfConfig, KnowsWhatAFamilysCodeFixes) {
  EXPECT_TRUE(import_text(config("qwen3", "")).model.qk_norm);
  EXPECT_EQ(import_text(config("qwen2", "")).model.biases, graph::Biases::qkv);
  const ModelSpec gemma =
      import_text(config("gemma2", R"(, "sliding_window": 8, "hidden_activation": "gelu_pytorch_tanh")")).model;
  EXPECT_EQ(gemma.norms_per_layer, 4);
  EXPECT_TRUE(gemma.tied_embeddings);
  EXPECT_EQ(gemma.activation, graph::Activation::gelu);
  EXPECT_EQ(gemma.layer_attention(0).window, 8);
  EXPECT_EQ(gemma.layer_attention(1).window, 0);
}

TEST(HfConfig, ReadsGpt2InItsOwnSpelling) {
  const Imported i = import_text(
      R"({"model_type": "gpt2", "n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257, "activation_function": "gelu_new"})");
  EXPECT_THAT(i.errors, IsEmpty());
  EXPECT_NEAR(graph::count_parameters(i.model).total(), 124.44e6, 0.01e6);
}

TEST(HfConfig, ReadsBertAndVitAsEncoders) {
  const Imported bert = import_text(config("bert", R"(, "max_position_embeddings": 512, "type_vocab_size": 2)"));
  EXPECT_THAT(bert.errors, IsEmpty());
  EXPECT_EQ(bert.model.architecture, graph::Architecture::encoder);
  EXPECT_EQ(bert.model.token_types, 2);
  const Imported vit = import_text(
      R"({"model_type": "vit", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu",
          "image_size": 224, "patch_size": 16, "id2label": {"0": "tench", "1": "goldfish"}})");
  EXPECT_THAT(vit.errors, IsEmpty());
  EXPECT_EQ(vit.model.positions, 197);
  EXPECT_EQ(vit.model.classes, 2);
}

TEST(HfConfig, ReadsT5AsEncoderAndDecoder) {
  const Imported i = import_text(
      R"({"model_type": "t5", "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8, "vocab_size": 32128, "feed_forward_proj": "relu"})");
  EXPECT_THAT(i.errors, IsEmpty());
  EXPECT_EQ(i.model.encoder_layers, 6);
  EXPECT_NEAR(graph::count_parameters(i.model).total(), 60.5e6, 0.1e6);
}

TEST(HfConfig, LayerTypesSayWhichLayersAreWindowed) {
  const Imported i = import_text(config(
      "gpt_oss",
      R"(, "sliding_window": 8, "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"])"));
  EXPECT_THAT(i.errors, IsEmpty());
  EXPECT_EQ(i.model.layer_attention(0).window, 0);
  EXPECT_EQ(i.model.layer_attention(2).window, 8);
  EXPECT_THAT(import_text(config("gpt_oss", R"(, "sliding_window": 8, "layer_types": ["full_attention"])")).errors,
              Contains(HasSubstr("1 layers are listed, but there are 4")));
  EXPECT_THAT(import_text(config("llama", R"(, "layer_types": ["mamba", "mamba", "mamba", "mamba"])")).errors,
              Contains(HasSubstr("config.json:1:")));
}

TEST(HfConfig, AWindowOfQwenTakesEffectOnlyWhereItIsUsed) {
  EXPECT_EQ(import_text(config("qwen2", R"(, "sliding_window": 8, "use_sliding_window": false)"))
                .model.layer_attention(3)
                .window,
            0);
  const ModelSpec used =
      import_text(config("qwen2", R"(, "sliding_window": 8, "use_sliding_window": true, "max_window_layers": 2)"))
          .model;
  EXPECT_EQ(used.layer_attention(1).window, 0);
  EXPECT_EQ(used.layer_attention(2).window, 8);
}

TEST(HfConfig, ReadsExpertsInEverySpelling) {
  const ModelSpec mixtral =
      import_text(config("mixtral", R"(, "num_local_experts": 8, "num_experts_per_tok": 2)")).model;
  ASSERT_TRUE(mixtral.moe);
  EXPECT_EQ(mixtral.moe->expert_ffn, 96);
  const ModelSpec deepseek =
      import_text(
          config(
              "llama",
              R"(, "n_routed_experts": 16, "num_experts_per_tok": 4, "moe_intermediate_size": 32, "n_shared_experts": 2, "first_k_dense_replace": 1)"))
          .model;
  ASSERT_TRUE(deepseek.moe);
  EXPECT_EQ(deepseek.moe->shared_experts, 2);
  EXPECT_EQ(deepseek.moe->shared_expert_ffn, 32);
  EXPECT_FALSE(deepseek.layer_is_moe(0));
  EXPECT_TRUE(deepseek.layer_is_moe(1));
  const ModelSpec listed =
      import_text(
          config(
              "llama",
              R"(, "n_routed_experts": 16, "num_experts_per_tok": 4, "moe_intermediate_size": 32, "moe_layer_freq": [0, 0, 1, 1])"))
          .model;
  EXPECT_EQ(listed.moe->dense_layers, 2);
  EXPECT_THAT(
      import_text(config("llama", R"(, "num_experts": 4, "num_experts_per_tok": 4, "moe_layer_freq": [1, 0, 1, 1])"))
          .errors,
      Contains(HasSubstr("a dense layer after one with experts")));
}

TEST(HfConfig, ReadsTheFormatsOfQuantisedCheckpoints) {
  const auto format = [](const std::string& quantisation) {
    return import_text(config("llama", ", \"quantization_config\": " + quantisation));
  };
  EXPECT_EQ(format(R"({"quant_method": "fp8"})").model.weights_dtype, work::DType::fp8);
  EXPECT_EQ(format(R"({"quant_method": "awq", "bits": 4})").model.weights_dtype, work::DType::int4);
  EXPECT_EQ(format(R"({"quant_algo": "NVFP4"})").model.weights_dtype, work::DType::nvfp4);
  EXPECT_EQ(
      format(
          R"({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "int"}}}})")
          .model.weights_dtype,
      work::DType::int8);
  const Imported unknown = format(R"({"quant_method": "magic"})");
  EXPECT_FALSE(unknown.model.weights_dtype);
  EXPECT_THAT(unknown.warnings, SizeIs(1));
}

TEST(HfConfig, ChecksWhatAttentionNeedsOfItsOtherKeys) {
  const std::string latent =
      R"(, "kv_lora_rank": 32, "qk_nope_head_dim": 12, "qk_rope_head_dim": 4, "v_head_dim": 8, "index_topk": 16, "index_n_heads": 2, "index_head_dim": 8)";
  EXPECT_THAT(import_text(config("deepseek_v32", latent)).errors, Contains(HasSubstr("'q_lora_rank' is missing")));
  EXPECT_THAT(import_text(config("deepseek_v32", latent + R"(, "q_lora_rank": 24)")).errors, IsEmpty());
  EXPECT_THAT(import_text(config("llama", R"(, "index_topk": 16)")).errors,
              Contains(HasSubstr("with latent attention alone")));
  EXPECT_THAT(import_text(config("mimo_v2_flash", R"(, "sliding_window": 8, "swa_num_key_value_heads": 3)")).errors,
              Contains(HasSubstr("4 heads cannot be shared evenly by 3 KV heads")));
  EXPECT_THAT(import_text(config("qwen3_next", R"(, "layer_types": ["linear_attention", "a", "b", "c"])")).errors,
              Contains(HasSubstr("layers of kind 'linear_attention' are not modelled")));
}

TEST(HfConfig, RefusesSizesThatNoNetworkHas) {
  EXPECT_THAT(import_text(R"({"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 9000000000000000,
                             "num_attention_heads": 4, "intermediate_size": 96, "vocab_size": 9000000000000000})")
                  .errors,
              SizeIs(2));
}

TEST(HfConfig, RefusesEveryMechanismItCannotExpressByNameAndPlace) {
  const Imported i = import_text(
      "{\"model_type\": \"nemotron_h\",\n \"hybrid_override_pattern\": \"M-M*\",\n \"moe_latent_size\": 1024}");
  EXPECT_THAT(i.errors, SizeIs(2));
  EXPECT_THAT(i.errors,
              Contains(HasSubstr("config.json:2:29: model.hybrid_override_pattern: 'hybrid_override_pattern' means")));
  EXPECT_THAT(i.errors, Contains(HasSubstr("config.json:3:")));
  EXPECT_THAT(import_text(config("llama", R"(, "block_configs": [{"attention": {"no_op": true}}])")).errors, SizeIs(1));
  EXPECT_THAT(
      import_text(config("llama", R"(, "moe_latent_size": null, "num_kv_shared_layers": 0, "block_configs": [])"))
          .errors,
      IsEmpty());
}

TEST(HfConfig, RefusesAModelTypeItDoesNotKnowWithTheNearestOne) {
  EXPECT_THAT(import_text(config("lama", "")).errors,
              Contains(HasSubstr("the model type 'lama' is not read; did you mean 'llama'?")));
  EXPECT_THAT(import_text("{\"architectures\": [\"X\"]}").errors, Contains(HasSubstr("'model_type' is missing")));
}

TEST(HfConfig, ReadsTheTextModelOfAMultimodalOneAndSaysSo) {
  const Imported i = import_text(
      "{\"model_type\": \"qwen3_vl\", \"tie_word_embeddings\": true, \"vision_config\": {\"depth\": 24}, "
      "\"text_config\": " +
      config("qwen3_vl_text", "") + "}");
  EXPECT_THAT(i.errors, IsEmpty());
  EXPECT_THAT(i.warnings, Contains(HasSubstr("vision tower")));
  EXPECT_EQ(i.model.hidden, 64);
  EXPECT_TRUE(i.model.tied_embeddings);
}

TEST(HfConfig, ReportsMissingKeysAndWrongNumbersTogether) {
  const Imported i = import_text(
      R"({"model_type": "llama", "hidden_size": "wide", "num_hidden_layers": 4, "num_attention_heads": 4})");
  EXPECT_THAT(i.errors, Contains(HasSubstr("model.hidden_size")));
  EXPECT_THAT(i.errors, Contains(HasSubstr("'vocab_size' is missing")));
  EXPECT_THAT(i.errors, Contains(HasSubstr("'intermediate_size' is missing")));
}

// Published sizes in units of 10^9: of the name, or of the model card's tensors, without vision tower and draft layers.
struct Published {
  std::string file;
  double parameters;
};

const std::vector<Published>& published() {
  static const std::vector<Published> kTable{
      {"MiniMaxAI--MiniMax-M2.5", 228.7},
      {"MiniMaxAI--MiniMax-M2.7", 228.7},
      {"Qwen--Qwen3-0.6B", 0.596},
      {"Qwen--Qwen3-1.7B", 1.72},
      {"Qwen--Qwen3-235B-A22B", 235.09},
      {"Qwen--Qwen3-235B-A22B-FP8", 235.09},
      {"Qwen--Qwen3-30B-A3B", 30.53},
      {"Qwen--Qwen3-30B-A3B-FP8", 30.53},
      {"Qwen--Qwen3-32B", 32.76},
      {"Qwen--Qwen3-32B-FP8", 32.76},
      {"Qwen--Qwen3-32B-FP8-Static-PerTensor", 32.76},
      {"Qwen--Qwen3-8B", 8.19},
      {"Qwen--Qwen3-Coder-480B-A35B-Instruct", 480.15},
      {"Qwen--Qwen3-VL-235B-A22B-Instruct", 235.09},
      {"Qwen--Qwen3-VL-2B-Instruct", 1.72},
      {"Qwen--Qwen3-VL-30B-A3B-Instruct", 30.53},
      {"Qwen--Qwen3-VL-32B-Instruct", 32.76},
      {"Qwen--Qwen3-VL-32B-Thinking", 32.76},
      {"Qwen--Qwen3-VL-4B-Instruct", 4.02},
      {"Qwen--Qwen3-VL-8B-Instruct", 8.19},
      {"Qwen--Qwen3.5-122B-A10B", 122},
      {"Qwen--Qwen3.5-27B", 27},
      {"Qwen--Qwen3.5-35B-A3B", 35},
      {"Qwen--Qwen3.5-397B-A17B", 397},
      {"XiaomiMiMo--MiMo-7B-Base", 7.62},
      {"XiaomiMiMo--MiMo-V2-Flash", 309},
      {"deepseek-ai--DeepSeek-R1", 671},
      {"deepseek-ai--DeepSeek-V3", 671},
      {"deepseek-ai--DeepSeek-V3.2", 671},
      {"meta-llama--Llama-4-Maverick-17B-128E-Instruct", 400.7},
      {"meta-llama--Llama-4-Scout-17B-16E-Instruct", 107.8},
      {"meta-llama--Meta-Llama-3.1-405B", 405.85},
      {"meta-llama--Meta-Llama-3.1-70B", 70.55},
      {"meta-llama--Meta-Llama-3.1-8B", 8.03},
      {"microsoft--Phi-mini-MoE-instruct", 7.65},
      {"mistralai--Mixtral-8x22B-v0.1", 140.6},
      {"mistralai--Mixtral-8x7B-v0.1", 46.7},
      {"moonshotai--Kimi-K2-Instruct", 1026},
      {"moonshotai--Kimi-K2.5", 1026},
      {"openai--gpt-oss-120b", 116.83},
      {"openai--gpt-oss-20b", 20.91},
      {"stepfun-ai--Step-3.7-Flash", 196},
      {"stepfun-ai--Step-3.7-Flash-FP8", 196},
      {"zai-org--GLM-5", 744},
      {"zai-org--GLM-5.1", 744},
  };
  return kTable;
}

// Copies of published config.json files, named ORGANISATION--MODEL.json, which are no part of the repository.
class PublishedConfigs : public testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("MLOSIM_HF_CONFIGS");
    folder_ = given ? std::filesystem::path(given) : support::source_dir().parent_path() / "shared/facts/hf_configs";
    if (!std::filesystem::is_directory(folder_))
      GTEST_SKIP() << "no published config.json files at " << folder_ << " (MLOSIM_HF_CONFIGS names the folder)";
  }
  Imported read(const std::string& name) const {
    return import_document(spec::read_document((folder_ / (name + ".json")).string()));
  }

  std::filesystem::path folder_;
};

TEST_F(PublishedConfigs, CountWithinOnePercentOfTheirPublishedParameters) {
  for (const Published& p : published()) {
    const Imported i = read(p.file);
    EXPECT_THAT(i.errors, IsEmpty()) << p.file;
    const double counted = graph::count_parameters(i.model).total() / 1e9;
    EXPECT_NEAR(counted / p.parameters, 1, 0.01)
        << p.file << ": " << counted << " B, published " << p.parameters << " B";
  }
}

TEST_F(PublishedConfigs, OfOtherMechanismsAreRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> refused{
      {"MiniMaxAI--MiniMax-M3", "sparse_attention_config"},
      {"deepseek-ai--DeepSeek-V4-Flash", "compress_ratios"},
      {"deepseek-ai--DeepSeek-V4-Pro", "hc_mult"},
      {"sgl-project--DeepSeek-V4-Flash-FP8", "o_lora_rank"},
      {"google--gemma-4-26B-A4B", "text_config.global_head_dim"},
      {"moonshotai--Kimi-K3", "text_config.linear_attn_config"},
      {"nvidia--Llama-3_3-Nemotron-Super-49B-v1", "block_configs"},
      {"nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "hybrid_override_pattern"},
      {"nvidia--NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16", "layers_block_type"},
      {"nvidia--Nemotron-H-56B-Base-8K", "hybrid_override_pattern"},
      {"zai-org--GLM-5.2", "indexer_types"},
  };
  for (const auto& [name, key] : refused)
    EXPECT_THAT(read(name).errors, Contains(HasSubstr("model." + key + ": "))) << name;
}

TEST_F(PublishedConfigs, EachEitherImportsOrIsRefused) {
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() != ".json") continue;
    const Imported i = read(entry.path().stem().string());
    EXPECT_TRUE(!i.errors.empty() || i.model.layers > 0) << entry.path();
  }
}

TEST_F(PublishedConfigs, MeanTheSameAsTheModelsThatComeWithMlosim) {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"meta-llama--Meta-Llama-3.1-70B", "llama-3.1-70b"},
      {"meta-llama--Llama-4-Maverick-17B-128E-Instruct", "llama-4-maverick"},
      {"mistralai--Mixtral-8x7B-v0.1", "mixtral-8x7b"},
      {"Qwen--Qwen3-235B-A22B", "qwen3-235b-a22b"},
      {"Qwen--Qwen3.5-397B-A17B", "qwen3.5-397b-a17b"},
      {"deepseek-ai--DeepSeek-V3", "deepseek-v3"},
      {"moonshotai--Kimi-K2.5", "kimi-k2.5"},
      {"openai--gpt-oss-120b", "gpt-oss-120b"},
      {"zai-org--GLM-5", "glm-5"},
      {"MiniMaxAI--MiniMax-M2.5", "minimax-m2.5"},
  };
  for (const auto& [file, name] : pairs) {
    const spec::Value document =
        spec::read_document((support::source_dir() / "models/zoo" / (name + ".yaml")).string());
    spec::Decoding decoding;
    const ModelSpec zoo = graph::decode_model(spec::Node(&document, "model", &decoding));
    const ModelSpec imported = read(file).model;
    EXPECT_EQ(graph::count_parameters(imported).total(), graph::count_parameters(zoo).total()) << name;
    EXPECT_EQ(imported.weights_dtype, zoo.weights_dtype) << name;
    EXPECT_EQ(imported.quantises_experts_only, zoo.quantises_experts_only) << name;
    for (const std::int64_t context : {100, 10'000}) {
      EXPECT_EQ(graph::kv_cache_bytes(imported, context, work::DType::bf16),
                graph::kv_cache_bytes(zoo, context, work::DType::bf16))
          << name;
    }
  }
}

}  // namespace
}  // namespace mlosim::import
