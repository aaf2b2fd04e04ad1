// The forms of a model: a zoo name, inline fields, a file of mlosim's own and a Hugging Face config.json are the same
// model.
#include <string>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class ModelFile : public Workplace {};

const std::string kFields = "layers: 32, hidden: 4096, heads: 32, kv_heads: 8, ffn: 14336, gated: true, vocab: 128256";
const std::string kConfig =
    R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
        "max_position_embeddings": 131072, "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
        "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 128256, "transformers_version": "4.42.3"})";

std::string with_model(const std::string& model) { return with(kSmall, "llama-3.1-8b", model); }

TEST_F(ModelFile, InlineFieldsMeanTheZoosModel) {
  EXPECT_EQ(predict(with_model("{" + kFields + "}")).out, predict(kSmall).out);
}

TEST_F(ModelFile, AModelFileMeansTheZoosModel) {
  std::string lines = "schema: mlosim/model/1\nname: mine\n";
  std::string fields = kFields + ", ";
  for (std::size_t at = 0, end; (end = fields.find(", ", at)) != std::string::npos; at = end + 2)
    lines += fields.substr(at, end - at) + "\n";
  write("mine.yaml", lines);
  EXPECT_EQ(predict(with_model("mine.yaml")).out, predict(kSmall).out);
  EXPECT_EQ(predict(with_model(path("mine.yaml"))).out, predict(kSmall).out);
}

TEST_F(ModelFile, AHuggingFaceConfigMeansTheZoosModel) {
  write("config.json", kConfig);
  EXPECT_EQ(mlosim("check config.json").exit_code, 0);
  EXPECT_EQ(predict(with_model("config.json")).out, predict(kSmall).out);
}

TEST_F(ModelFile, AConfigOfAKindThatIsNotModelledIsRefused) {
  write("config.json", R"({"architectures": ["RwkvForCausalLM"], "model_type": "rwkv", "hidden_size": 4096})");
  expect_refused(predict(with_model("config.json")), {"config.json", "rwkv"});
}

TEST_F(ModelFile, ABrokenModelFileIsNamedWithItsPlace) {
  write("mine.yaml", "schema: mlosim/model/1\nlayers: 32\nhidden: 4096\nheads: 32\nkv_heads: 5\nffn: 1\nvocab: 1\n");
  expect_refused(predict(with_model("mine.yaml")), {"mine.yaml:5:11: model.kv_heads: "});
  write("config.json", with(kConfig, "\"num_hidden_layers\": 32", "\"num_hidden_layers\": \"many\""));
  expect_refused(predict(with_model("config.json")), {"config.json:", "num_hidden_layers"});
  expect_refused(predict(with_model("nothing.yaml")), {"nothing.yaml", "cannot be read"});
}

TEST_F(ModelFile, MistakesOfTheModelAndOfTheWorkloadComeInOneRun) {
  expect_refused(predict(with(with_model("llama-3.1-8"), "batch: 8", "batch: 0")),
                 {"no model is called 'llama-3.1-8'", "inference.batch"});
}

}  // namespace
}  // namespace mlosim::cli_test
