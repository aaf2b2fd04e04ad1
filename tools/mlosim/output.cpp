#include "tools/mlosim/output.hpp"

#include <filesystem>
#include <fstream>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::cli {

void write_file(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  std::ofstream file(part, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(part, path, error);
  if (!file || error) {
    std::filesystem::remove(part, error);
    throw spec::InputError({{.place = {path, 0, 0}, .path = "", .message = "the file cannot be written", .hint = ""}});
  }
}

}  // namespace mlosim::cli
