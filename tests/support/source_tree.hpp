// Files as tests see them: the repository's own, listed in a fixed order, and temporary ones.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace mlosim::support {

// The repository's root.
std::filesystem::path source_dir();

// Paths, relative to the repository's root and sorted, of the regular files below its `folders` whose extension is one
// of `extensions` (with the dot). A folder that does not exist holds no file.
std::vector<std::filesystem::path> source_files(const std::vector<std::string>& folders,
                                                const std::set<std::string>& extensions);

// Whole contents; throws std::runtime_error where the file cannot be read.
std::string read_text(const std::filesystem::path& file);

// The lines of read_text(file), without their newlines.
std::vector<std::string> read_lines(const std::filesystem::path& file);

// Replaces the file's contents; throws std::runtime_error where it cannot be written.
void write_text(const std::filesystem::path& file, const std::string& text);

// An empty directory of this object's own, removed with all that is in it when the object ends.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace mlosim::support
