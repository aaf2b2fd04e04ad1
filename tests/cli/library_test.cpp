// What is built in: every name of the contract is listed, shown and free of mistakes, and $MLOSIM_PATH goes before it.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/workplace.hpp"

namespace mlosim::cli_test {
namespace {

class Library : public Workplace {
 protected:
  std::vector<std::string> list(const std::string& shelf) const {
    const CommandResult result = mlosim("list " + shelf);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return words(result.out);
  }

  static std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> all;
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
  }

  void expect_listed(const std::string& shelf, const std::string& promised) const {
    const std::vector<std::string> names = list(shelf);
    for (const std::string& name : words(promised)) EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
    EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  }
};

const std::string kChips =
    "v100_sxm2_32gb a100_sxm_40gb a100_sxm_80gb h100_sxm h100_pcie h200_sxm h800_sxm b200_sxm gb200 b300_sxm gb300 "
    "l40s l4 t4 rtx_4090 rtx_pro_6000_server a40 a6000 a100_pcie_40g a100_pcie_80g v100_pcie_32g mi210 mi250x mi300x "
    "mi325x mi355x "
    "tpu_v2 tpu_v3 tpu_v4 tpu_v4i tpu_v5e tpu_v5p tpu_v6e tpu_v7 trainium2 gaudi2 gaudi3";
const std::string kSystems =
    "dgx_v100 dgx_a100_40gb dgx_a100 dgx_h100 dgx_h200 dgx_b200 dgx_b300 gb200_nvl72 gb300_nvl72 hgx_h800 l40s_8 "
    "mi300x_8 mi325x_8 mi355x_8 rtx_pro_6000_8 "
    "tpu_v3_pod tpu_v4_pod tpu_v5e_pod tpu_v5p_pod tpu_v6e_pod tpu_v7_pod";
const std::string kModels =
    "llama-3.1-8b llama-3.1-70b llama-3.1-405b llama-2-7b llama-2-70b llama-4-scout llama-4-maverick mistral-7b "
    "mixtral-8x7b "
    "mixtral-8x22b qwen2.5-7b qwen3-8b qwen3-32b qwen3-30b-a3b qwen3-235b-a22b qwen3.5-397b-a17b deepseek-v2 "
    "deepseek-v3 deepseek-r1 kimi-k2 kimi-k2.5 glm-5 "
    "minimax-m2.5 gemma-2-9b gemma-2-27b gemma-3-27b gpt-oss-20b gpt-oss-120b "
    "gpt2 gpt2-xl gpt3-175b gpt-neox-20b phi-3-mini bert-large t5-small vit-b16 palm-540b mt-nlg-530b megatron-1t";

TEST_F(Library, ListsTheChipsOfTheContract) { expect_listed("chips", kChips); }

TEST_F(Library, ListsTheSystemsOfTheContract) { expect_listed("systems", kSystems); }

TEST_F(Library, ListsTheModelsOfTheContract) { expect_listed("models", kModels); }

TEST_F(Library, HasAListOfEveryKind) {
  for (const char* shelf : {"families", "runtimes", "workloads"}) EXPECT_FALSE(list(shelf).empty()) << shelf;
  for (const char* shelf : {"studies", "suites"}) EXPECT_EQ(mlosim(std::string("list ") + shelf).exit_code, 0) << shelf;
  expect_refused(mlosim("list chip"), {"did you mean 'chips'?"});
  expect_refused(mlosim("list"), {});
}

TEST_F(Library, EveryBuiltInFileIsFreeOfMistakes) {
  for (const char* shelf : {"chips", "systems", "families", "models", "runtimes", "workloads"}) {
    std::string names;
    for (const std::string& name : list(shelf)) names += " " + name;
    const CommandResult result = mlosim("check" + names);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
  }
}

TEST_F(Library, WhatIsShownIsReadAgainWithoutMistake) {
  for (const char* shelf : {"chips", "models", "runtimes", "workloads"}) {
    std::string files;
    for (const std::string& name : list(shelf)) {
      const CommandResult shown = mlosim("show " + name);
      ASSERT_EQ(shown.exit_code, 0) << shown.err;
      EXPECT_EQ(shown.out.rfind("# ", 0), 0u) << name;
      write(name + ".yaml", shown.out);
      files += " ./" + name + ".yaml";
    }
    const CommandResult result = mlosim("check" + files);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
}

TEST_F(Library, AShownSystemHoldsItsChipAndIsReadAgain) {
  for (const std::string& name : list("systems")) {
    const CommandResult shown = mlosim("show " + name);
    ASSERT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_NE(shown.out.find("mlosim/chip/1"), std::string::npos) << name;
    write(name + ".yaml", shown.out);
    const CommandResult result = mlosim("check ./" + name + ".yaml");
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
}

TEST_F(Library, AShownChipHasItsFamilysParametersAndPredictsTheSame) {
  const std::string shown = mlosim("show h100_sxm").out;
  EXPECT_NE(shown.find("overlap_norm"), std::string::npos);
  write("shown.yaml", shown);
  EXPECT_EQ(predict(kSmall, "--system ./shown.yaml").out, predict(kSmall).out);
}

TEST_F(Library, WhatIsNotThereIsRefusedWithTheNearestName) {
  expect_refused(mlosim("show h100_sxn"), {"h100_sxn", "did you mean 'h100_sxm'?"});
  expect_refused(mlosim("check llama-3.1-80b"), {"llama-3.1-80b", "did you mean 'llama-3.1-"});
  expect_refused(mlosim("show ./nothing.yaml"), {"nothing.yaml", "cannot be read"});
}

TEST_F(Library, CheckReportsEveryFileAndEveryMistake) {
  write("a.yaml", with(with(kSmall, "batch: 8", "batch: many"), "precision: bf16", "precison: bf16"));
  write("b.yaml", kSmall);
  write("c.yaml", "schema: mlosim/chap/1\n");
  const CommandResult result = mlosim("check a.yaml b.yaml c.yaml");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.out.find("b.yaml: workload, no mistake found"), std::string::npos) << result.out;
  for (const char* word :
       {"a.yaml:7:20: ", "a.yaml:6:1: ", "did you mean 'precision'?", "c.yaml:1:", "mlosim/chap/1"}) {
    EXPECT_NE(result.err.find(word), std::string::npos) << word << " is not in\n" << result.err;
  }
}

TEST_F(Library, PathGoesBeforeTheBuiltInFiles) {
  std::filesystem::create_directories(path("mine/models/zoo"));
  std::filesystem::create_directories(path("mine/hw_specs/chips/next"));
  std::filesystem::create_directories(path("mine/models/workloads"));
  write("mine/models/zoo/llama-3.1-8b.yaml",
        "schema: mlosim/model/1\nname: tiny\nlayers: 2\nhidden: 256\nheads: 4\nffn: 512\nvocab: 1000\n");
  write("mine/hw_specs/chips/next/h900.yaml", with(mlosim("show h100_sxm").out, "name: h100_sxm", "name: h900"));
  write("mine/models/workloads/mine.yaml", with(kSmall, "h100_sxm", "h900"));
  const std::string mine = path("mine");
  EXPECT_NE(mlosim_with_path(mine, "show llama-3.1-8b").out.find("tiny"), std::string::npos);
  EXPECT_NE(mlosim_with_path(mine, "list chips").out.find("h900\n"), std::string::npos);
  EXPECT_NE(mlosim_with_path(mine, "list chips").out.find("a100_sxm_80gb\n"), std::string::npos);
  EXPECT_EQ(mlosim_with_path(mine, "predict mine").exit_code, 0);
  EXPECT_EQ(mlosim_with_path("/nowhere:" + mine + ":", "predict mine").exit_code, 0);
  expect_refused(mlosim("predict mine"), {"no workload is called 'mine'"});
}

TEST_F(Library, EveryBuiltInWorkloadIsPredicted) {
  for (const std::string& name : list("workloads")) {
    const CommandResult result = mlosim("predict " + name + " --format json");
    EXPECT_EQ(result.exit_code, 0) << name << ": " << result.err;
    EXPECT_EQ(result.err, "") << name;
    EXPECT_TRUE(nlohmann::json::accept(result.out)) << name;
  }
}

TEST_F(Library, EveryChipAndSystemPredictsASmallModel) {
  // Every chip has one of the two.
  for (const char* shelf : {"chips", "systems"}) {
    for (const std::string& name : list(shelf)) {
      const std::string small =
          with(with(with(kSmall, "llama-3.1-8b", "gpt2"), "h100_sxm", name), "precision: bf16\n", "");
      const CommandResult result =
          predict(with(small, "batch: 8, prompt: 1024", "batch: 4, prompt: 512"), "--format json");
      EXPECT_EQ(result.exit_code, 0) << name << ": " << result.err;
    }
  }
}

}  // namespace
}  // namespace mlosim::cli_test
