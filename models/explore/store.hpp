// The results of a study's chunks in one SQLite file (write-ahead log): whatever stops mlosim, what was committed is
// there, and a study goes on from it. One process writes at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace mlosim::explore {

// Whose results they are.
struct StoreOwner {
  std::string version;      // of mlosim
  std::string study;        // its name
  std::string fingerprint;  // fingerprint.hpp
};

class Store {
 public:
  // Opens or makes the file. Throws spec::InputError where it cannot, where another process has it open, where it holds
  // another study's or another version's results, where it is no store, and where there are results although `resumes`
  // is not set. A store without results is anybody's.
  Store(const std::string& path, const StoreOwner& owner, bool resumes);
  // A file that was made and has got no results is removed.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Numbers of the chunks that are in it.
  std::set<std::uint64_t> chunks() const;
  std::optional<std::string> find(std::uint64_t chunk) const;
  // Kept for good from the next commit on. Throws spec::InputError where it cannot be written; what was committed
  // stays.
  void put(std::uint64_t chunk, const std::string& result);
  void commit();

 private:
  class Database;
  std::unique_ptr<Database> database_;
};

}  // namespace mlosim::explore
