// Files that a slip of the pen, a broken editor or a bad disk changed: whatever they hold is read or refused with
// spec::InputError. Changes are drawn by a fixed seed, so that a failure comes again.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "models/explore/chunk.hpp"
#include "models/explore/study.hpp"
#include "models/import/hf_config.hpp"
#include "sim/spec/diagnostics.hpp"
#include "tests/property/workloads.hpp"

namespace mlosim::property {
namespace {

// One or two changes: bytes dropped, doubled, replaced; lines dropped or doubled; numbers made extreme.
std::string mutate(std::string text, std::mt19937& random) {
  static constexpr std::array<const char*, 22> kTokens{"-1", "0",  "1e308", ".nan", "1e-320", "9e15", "[",  "]",
                                                       "{",  "}",  ": ",    "\n  ", "\"",     "&a ",  "*a", "#",
                                                       "|",  "<<", "\xff",  "~",    "3 TB/s", "%"};
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (std::size_t changes = 1 + below(2); changes > 0 && !text.empty(); --changes) {
    const std::size_t at = below(text.size()), length = 1 + below(6);
    switch (below(7)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2:
        text[at] = static_cast<char>(random() & 0xFF);
        break;
      case 3:
        text.insert(at, kTokens[below(kTokens.size())]);
        break;
      case 4: {
        const std::size_t start = text.rfind('\n', at) + 1, end = text.find('\n', at);
        text.erase(start, end == std::string::npos ? end : end + 1 - start);
        break;
      }
      case 5: {
        const std::size_t start = text.rfind('\n', at) + 1, end = text.find('\n', at);
        text.insert(start, text.substr(start, end == std::string::npos ? end : end + 1 - start));
        break;
      }
      default: {
        const std::size_t digit = text.find_first_of("0123456789", at);
        if (digit == std::string::npos) break;
        const std::size_t end = text.find_first_not_of("0123456789.", digit);
        text.replace(digit, end == std::string::npos ? end : end - digit, kTokens[below(6)]);
      }
    }
  }
  return text;
}

struct Outcome {
  int read = 0, refused = 0;
};

// Reads `count` variants of `text`; anything thrown but InputError fails the test with the variant.
Outcome read_variants(const std::string& text, int count, unsigned seed,
                      const std::function<void(const std::string&)>& read) {
  std::mt19937 random(seed);
  Outcome outcome;
  for (int i = 0; i < count; ++i) {
    const std::string variant = mutate(text, random);
    try {
      read(variant);
      ++outcome.read;
    } catch (const spec::InputError& error) {
      EXPECT_FALSE(error.diagnostics().empty());
      EXPECT_FALSE(std::string(error.what()).empty());
      ++outcome.refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << " on variant " << i << ":\n" << variant;
    }
  }
  return outcome;
}

std::string text_of(spec::Shelf shelf, const std::string& name) {
  return support::read_text(built_in().require(shelf, name));
}

TEST(Fuzz, AWorkloadIsReadAndEvaluatedOrRefused) {
  const std::vector<std::string> bases{
      text_of(spec::Shelf::workloads, "llama-3.1-70b_decode_dgx_h200"),
      text_of(spec::Shelf::workloads, "operators_dgx_h100"),
      text_of(spec::Shelf::workloads, "deepseek-v3_decode_dgx_h200"),
      network("{layers: 4, hidden: 512, heads: 8, kv_heads: 2, ffn: 1024, vocab: 1000, moe: {experts: 8, "
              "experts_per_token: 2, expert_ffn: 256}, attention: {window: 512, every: 2}}",
              "generate", "dgx_h100", "batch: 4, prompt: 64, output: 8, count: decode",
              "precision: {weights: fp8, activations: bf16, kv_cache: fp8}\nparallelism: {tp: 2, ep: 2, moe_tp: "
              "1}\nruntime: {framework: vllm, graphs: true, fusion: none}\noverrides: {chip.hbm.bandwidth: 3 TB/s}\n")};
  const support::TemporaryDirectory folder;
  const std::string path = (folder.path() / "w.yaml").string();
  unsigned seed = 1;
  for (const std::string& base : bases) {
    const Outcome outcome = read_variants(base, 500, seed++, [&](const std::string& variant) {
      support::write_text(path, variant);
      const Scenario scenario = scenario_of(path);
      scenario.evaluate();
    });
    EXPECT_GT(outcome.read, 0);
    EXPECT_GT(outcome.refused, 0);
  }
}

TEST(Fuzz, AChipIsDecodedOrRefused) {
  for (const char* name : {"h100_sxm", "tpu_v5p", "mi300x"}) {
    const std::string chip_text = text_of(spec::Shelf::chips, name);
    const spec::Value chip = spec::parse_document(chip_text, "chip");
    const std::string family_text = text_of(spec::Shelf::families, chip.find("family")->text);
    const spec::Value family = spec::parse_document(family_text, "family");
    const auto decode = [](const spec::Value& merged) {
      spec::Decoding decoding;
      spec::decode_chip(spec::Node(&merged, "chip", &decoding));
      decoding.diagnostics.throw_if_any();
    };
    read_variants(chip_text, 300, 11, [&](const std::string& variant) {
      decode(spec::lay_over_family(family, spec::parse_document(variant, "chip")));
    });
    read_variants(family_text, 300, 12, [&](const std::string& variant) {
      decode(spec::lay_over_family(spec::parse_document(variant, "family"), chip));
    });
  }
}

TEST(Fuzz, ASystemACollectiveLibraryAndARuntimeAreDecodedOrRefused) {
  const auto read = [](auto decode, const char* root) {
    return [decode, root](const std::string& variant) {
      const spec::Value document = spec::parse_document(variant, root);
      spec::Decoding decoding;
      decode(spec::Node(&document, root, &decoding));
      decoding.diagnostics.throw_if_any();
    };
  };
  for (const char* name : {"dgx_h100", "tpu_v5p_pod", "l40s_8"})
    read_variants(text_of(spec::Shelf::systems, name), 200, 21, read(spec::decode_system, "system"));
  for (const char* name : {"nccl", "rccl"})
    read_variants(text_of(spec::Shelf::families, name), 200, 22, read(spec::decode_nccl, "collectives"));
  for (const char* name : {"vllm", "xla"})
    read_variants(text_of(spec::Shelf::runtimes, name), 200, 23, read(spec::decode_runtime, "runtime"));
}

TEST(Fuzz, AModelIsReadOrRefused) {
  std::vector<std::string> warnings;
  const support::TemporaryDirectory folder;
  const std::string path = (folder.path() / "m.json").string();
  const auto read = [&](const std::string& variant) {
    support::write_text(path, variant);
    predict::load_model(built_in(), spec::make_scalar(path, ""), {}, warnings);
  };
  for (const char* name : {"deepseek-v3", "gpt-oss-120b", "t5-small", "qwen3.5-397b-a17b"})
    read_variants(text_of(spec::Shelf::models, name), 200, 31, read);
  const std::string config =
      R"({"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
"num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8, "num_experts_per_tok": 2,
"sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 32000,
"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}})";
  const Outcome outcome = read_variants(config, 500, 32, read);
  EXPECT_GT(outcome.read, 0);
}

// Every kind of axis, name and search; a point that comes of it is evaluated.
TEST(Fuzz, AStudyIsDrawnUpOrRefused) {
  const std::string workload =
      "{schema: mlosim/workload/1, name: d, model: llama-3.1-8b, task: decode, system: h100_sxm, precision: bf16, "
      "inference: {batch: 8, prompt: 1024, output: 128}}";
  const std::string text =
      "schema: mlosim/study/1\nworkloads:\n  - {name: a, workload: " + workload +
      "}\n  - {name: b, workload: " + workload +
      ", weight: 2}\noverrides: {inference.prompt: 512, model.layers: 16}\nvariables: {share: [0.3, 0.5]}\naxes:\n"
      "  chip.hbm.bandwidth: {from: 2 TB/s, to: 8 TB/s, steps: 3, scale: log}\n"
      "  a:inference.batch: {from: 1, to: 64, factor: 4}\n"
      "  precision: [bf16, {weights: fp8, activations: bf16}]\n"
      "  array: [{chip.units: 132, chip.l2.capacity: 50 MiB}, {chip.units: 64, chip.l2.capacity: 25 MiB}]\n"
      "derived: {\"b:inference.batch\": \"ceil(a.inference.batch * share)\"}\n"
      "constraints: [\"power_w_per_chip <= 600 W\", \"a.tpot_s < 50 ms\", \"max(share, 0.1)^2 > 0.01\"]\n"
      "objectives: [tpot_s, {name: rate, maximize: \"tokens_per_s / (chip.units * share)\"}]\n"
      "combine: mean\nmethod: {random: {points: 20, seed: 3}}\nkeep: front\n";
  const spec::Library library = built_in();
  const Outcome outcome = read_variants(text, 300, 41, [&](const std::string& variant) {
    std::vector<std::string> warnings;
    const explore::Blueprint blueprint =
        explore::draw_blueprint(library, explore::decode_study(spec::parse_document(variant, "s.yaml"), "s"), warnings);
    const explore::Space space(blueprint);
    explore::SharedSettings settings(library);
    if (blueprint.study.search.method == explore::Method::nsga2) return;  // which makes its own points
    explore::ChunkWorker(blueprint, space, settings).evaluate({.first = 0, .last = 1});
  });
  EXPECT_GT(outcome.read, 0);
  EXPECT_GT(outcome.refused, 0);
}

}  // namespace
}  // namespace mlosim::property
