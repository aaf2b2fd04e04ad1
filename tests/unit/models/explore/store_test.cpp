#include "models/explore/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "sim/spec/diagnostics.hpp"
#include "tests/support/source_tree.hpp"

namespace mlosim::explore {
namespace {

using testing::HasSubstr;

class StoreTest : public testing::Test {
 protected:
  std::string path() const { return (folder_.path() / "s.study").string(); }
  std::string refusal(const StoreOwner& owner, bool resumes) const {
    try {
      const Store store(path(), owner, resumes);
    } catch (const spec::InputError& error) {
      return error.what();
    }
    return "";
  }

  const StoreOwner owner_{.version = "1", .study = "s", .fingerprint = "f"};
  support::TemporaryDirectory folder_;
};

TEST_F(StoreTest, KeepsWhatWasCommitted) {
  const std::string bytes("\0\1\xff", 3);
  {
    Store store(path(), owner_, false);
    store.put(7, bytes);
    store.commit();
    store.put(8, "lost");
  }
  const Store store(path(), owner_, true);
  EXPECT_EQ(store.chunks(), (std::set<std::uint64_t>{7}));
  EXPECT_EQ(store.find(7), bytes);
  EXPECT_EQ(store.find(8), std::nullopt);
}

TEST_F(StoreTest, BelongsToOneStudyOfOneVersion) {
  {
    Store store(path(), owner_, false);
    store.put(0, "bytes");
    store.commit();
  }
  EXPECT_EQ(refusal(owner_, true), "");
  EXPECT_THAT(refusal(owner_, false), HasSubstr("--resume"));
  EXPECT_THAT(refusal({.version = "2", .study = "s", .fingerprint = "f"}, true), HasSubstr("written by mlosim 1"));
  EXPECT_THAT(refusal({.version = "1", .study = "t", .fingerprint = "f"}, true), HasSubstr("another study"));
  EXPECT_THAT(refusal({.version = "1", .study = "s", .fingerprint = "g"}, true), HasSubstr("has changed"));
}

TEST_F(StoreTest, WithoutResultsItLeavesNoFileBehind) {
  { const Store store(path(), owner_, false); }
  EXPECT_FALSE(std::filesystem::exists(path()));
  {
    Store store(path(), owner_, false);
    store.put(7, "never committed");
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(StoreTest, WithoutResultsItIsAnybodys) {
  support::write_text(path(), "");  // as a process that is killed may leave it
  { const Store store(path(), owner_, false); }
  ASSERT_TRUE(std::filesystem::exists(path())) << "it was not made here";
  {
    Store store(path(), {.version = "2", .study = "t", .fingerprint = "g"}, false);
    store.put(0, "bytes");
    store.commit();
  }
  EXPECT_THAT(refusal(owner_, true), HasSubstr("another study: 't'"));
}

TEST_F(StoreTest, IsWrittenByOneProcessAtATime) {
  const Store store(path(), owner_, false);
  EXPECT_THAT(refusal(owner_, true), HasSubstr("in use by another process"));
}

TEST_F(StoreTest, WhatIsNoStoreIsLeftAlone) {
  support::write_text(folder_.path() / "s.study", "name: not a database, and long enough to be taken for one\n");
  EXPECT_THAT(refusal(owner_, true), HasSubstr("no store of a study"));
  EXPECT_THAT(support::read_text(folder_.path() / "s.study"), HasSubstr("not a database"));
}

}  // namespace
}  // namespace mlosim::explore
