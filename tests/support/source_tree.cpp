#include "tests/support/source_tree.hpp"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace mlosim::support {

namespace fs = std::filesystem;

fs::path source_dir() { return MLOSIM_SOURCE_DIR; }

std::vector<fs::path> source_files(const std::vector<std::string>& folders, const std::set<std::string>& extensions) {
  std::vector<fs::path> files;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(source_dir() / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source_dir() / folder)) {
      if (entry.is_regular_file() && extensions.count(entry.path().extension().string()) > 0) {
        files.push_back(entry.path().lexically_relative(source_dir()));
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> read_lines(const fs::path& file) {
  std::istringstream text(read_text(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

TemporaryDirectory::TemporaryDirectory() {
  std::string path = (fs::temp_directory_path() / "mlosim_test_XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + path);
  path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace mlosim::support
