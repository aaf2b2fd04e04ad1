#include "sim/spec/library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/source_tree.hpp"

namespace mlosim::spec {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A root of a library, with what is put into it.
class Root {
 public:
  std::string add(const std::string& file) const {
    fs::create_directories((directory_.path() / file).parent_path());
    support::write_text(directory_.path() / file, "schema: x\n");
    return (directory_.path() / file).string();
  }
  std::string path() const { return directory_.path().string(); }

 private:
  support::TemporaryDirectory directory_;
};

std::string mistake_of(const Library& library, Shelf shelf, const std::string& name) {
  try {
    return "found " + library.require(shelf, name);
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Library, AFileIsFoundByItsNameOnItsShelf) {
  const Root root;
  const std::string chip = root.add("hw_specs/chips/h100.yaml");
  const std::string model = root.add("models/zoo/llama.yaml");
  const Library library({root.path()});
  EXPECT_EQ(library.require(Shelf::chips, "h100"), chip);
  EXPECT_EQ(library.require(Shelf::models, "llama"), model);
  EXPECT_FALSE(library.find(Shelf::systems, "h100").has_value());
}

TEST(Library, FilesMayLieInSubFolders) {
  const Root root;
  const std::string chip = root.add("hw_specs/chips/next/deep/x.yaml");
  const Library library({root.path()});
  EXPECT_EQ(library.require(Shelf::chips, "x"), chip);
  EXPECT_THAT(library.names(Shelf::chips), ElementsAre("x"));
}

TEST(Library, AFileInTheRootItselfIsFoundOnEveryShelf) {
  const Root root;
  root.add("hw_specs/chips/other.yaml");
  const std::string chip = root.add("mine.yaml");
  const Library library({root.path()});
  EXPECT_EQ(library.require(Shelf::chips, "mine"), chip);
  EXPECT_EQ(library.require(Shelf::models, "mine"), chip);
}

TEST(Library, TheFirstRootWinsWhereverTheFileLiesInIt) {
  const Root mine, built_in;
  const std::string own = mine.add("hw_specs/chips/drafts/h100.yaml");
  built_in.add("hw_specs/chips/h100.yaml");
  EXPECT_EQ(Library({mine.path(), built_in.path()}).require(Shelf::chips, "h100"), own);
}

TEST(Library, WhatTheFirstRootLacksIsFoundInTheNext) {
  const Root mine, built_in;
  mine.add("hw_specs/chips/a.yaml");
  const std::string b = built_in.add("hw_specs/chips/b.yaml");
  const Library library({mine.path(), "/no/such/folder", built_in.path()});
  EXPECT_EQ(library.require(Shelf::chips, "b"), b);
}

TEST(Library, NamesAreSortedAndSaidOnce) {
  const Root mine, built_in;
  mine.add("hw_specs/chips/b.yaml");
  built_in.add("hw_specs/chips/b.yaml");
  built_in.add("hw_specs/chips/a.yaml");
  built_in.add("hw_specs/chips/sub/c.yaml");
  built_in.add("hw_specs/chips/notes.txt");
  EXPECT_THAT(Library({mine.path(), built_in.path()}).names(Shelf::chips), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Library({mine.path()}).names(Shelf::models), IsEmpty());
}

TEST(Library, ASuiteIsADocumentOrATableWhoseSidecarHasNoNameOfItsOwn) {
  const Root root;
  const std::string document = root.add("validate/suites/points.yaml");
  const std::string table = root.add("validate/suites/measured/h100.csv");
  const std::string other = root.add("validate/suites/a100.csv");
  root.add("validate/suites/measured/h100.csv.yaml");
  root.add("validate/suites/a100.yaml");
  const Library library({root.path()});
  EXPECT_THAT(library.names(Shelf::suites), ElementsAre("a100", "h100", "points"));
  EXPECT_EQ(library.require(Shelf::suites, "points"), document);
  EXPECT_EQ(library.require(Shelf::suites, "h100"), table);
  EXPECT_EQ(library.require(Shelf::suites, "a100"), other);
}

TEST(Library, TablesAreOnNoShelfButThatOfSuites) {
  const Root root;
  root.add("hw_specs/chips/h100.csv");
  const Library library({root.path()});
  EXPECT_THAT(library.names(Shelf::chips), IsEmpty());
  EXPECT_FALSE(library.find(Shelf::chips, "h100").has_value());
}

TEST(Library, AnUnknownNameIsAnsweredWithTheNearest) {
  const Root root;
  root.add("hw_specs/chips/h100_sxm.yaml");
  root.add("hw_specs/chips/a100_sxm.yaml");
  const Library library({root.path()});
  EXPECT_EQ(mistake_of(library, Shelf::chips, "h10_sxm"), "no chip is called 'h10_sxm'; did you mean 'h100_sxm'?");
  EXPECT_EQ(mistake_of(library, Shelf::chips, "gaudi"), "no chip is called 'gaudi'; one of: a100_sxm, h100_sxm");
  EXPECT_EQ(mistake_of(library, Shelf::families, "x"), "no family is called 'x'");
}

TEST(Library, AnUnknownNameIsReportedWhereItWasWritten) {
  try {
    Library({"/no/such/folder"}).require(Shelf::chips, "x", {"system.yaml", 3, 7});
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "system.yaml:3:7: no chip is called 'x'");
  }
}

TEST(Library, APathIsTakenAsItIs) {
  const Library library({"/no/such/folder"});
  for (const char* path : {"-", "./x", "dir/x", "x.yaml", "x.yml", "config.json", "net.onnx", "rows.csv"}) {
    EXPECT_EQ(library.require(Shelf::chips, path), path);
  }
}

TEST(IsPath, NamesWithDotsAreNoPaths) {
  for (const char* name : {"llama-3.1-70b", "qwen2.5-7b", "h100", "", ".yaml", "yaml"})
    EXPECT_FALSE(is_path(name)) << name;
}

TEST(Shelf, EveryShelfIsFoundByItsName) {
  EXPECT_THAT(shelf_names(), ElementsAre("chips", "systems", "families", "models", "runtimes", "workloads", "studies",
                                         "suites", "protocols"));
  for (const std::string& name : shelf_names()) {
    ASSERT_TRUE(shelf_named(name).has_value());
    EXPECT_EQ(name_of(*shelf_named(name)), name);
  }
  EXPECT_FALSE(shelf_named("chip").has_value());
}

}  // namespace
}  // namespace mlosim::spec
