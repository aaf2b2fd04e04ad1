#include "tools/mlosim/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& message, const std::string& hint = "") {
  throw spec::InputError({{.place = {path, 0, 0}, .path = "", .message = message, .hint = hint}});
}

[[noreturn]] void refuse_to_write(const std::string& path, const std::string& reason) {
  refuse(path, "the file cannot be written", reason);
}

std::string reason_of(int error) { return std::generic_category().message(error); }

// Whether nobody may see the file half-written: it is one, or is to be one. A link to what is not there yet is not.
bool is_replaced(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) || fs::symlink_status(path, error).type() == fs::file_type::not_found;
}

// The file itself where the path leads through links.
fs::path file_at(const fs::path& path) {
  std::error_code error;
  const fs::path file = fs::canonical(path, error);
  return error ? path : file;
}

// 0, or the number of the error.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// Writes and closes; 0, or the number of the error.
int write_and_close(int descriptor, const std::string& text) {
  const int error = write_all(descriptor, text);
  return ::close(descriptor) != 0 && error == 0 ? errno : error;
}

void write_in_place(const std::string& path, const std::string& text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const int error = descriptor < 0 ? errno : write_and_close(descriptor, text);
  if (error != 0) refuse_to_write(path, reason_of(error));
}

// A file beside `file` that nobody else has; its name goes to `part`. Negative where there can be none.
int open_part(const fs::path& file, std::string& part) {
  for (int number = 0;; ++number) {
    part = file.string() + ".part" + (number == 0 ? "" : std::to_string(number));
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
}

void replace(const std::string& path, const std::string& text) {
  const fs::path file = file_at(path);
  std::string part;
  const int descriptor = open_part(file, part);
  if (descriptor < 0) refuse_to_write(path, reason_of(errno));
  struct stat present {};
  int error = ::stat(file.c_str(), &present) == 0 && ::fchmod(descriptor, present.st_mode & 07777) != 0 ? errno : 0;
  const int written = write_and_close(descriptor, text);
  if (error == 0) error = written;
  if (error == 0 && ::rename(part.c_str(), file.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(part.c_str());
  refuse_to_write(path, reason_of(error));
}

// Also of files that are not there yet.
bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  const fs::path one = fs::weakly_canonical(fs::absolute(a), error),
                 other = fs::weakly_canonical(fs::absolute(b), error);
  return !error && one == other;
}

}  // namespace

void check_destination(const std::string& path, const std::vector<std::string>& inputs) {
  if (path == "-") refuse(path, "standard output holds the result already", "name a file, or ./- for one called so");
  std::error_code error;
  for (const std::string& input : inputs) {
    if (fs::equivalent(path, input, error))
      refuse(path, "this file is read, and would be lost", "write to another one");
  }
  if (fs::is_directory(path, error)) refuse_to_write(path, "it is a folder");
  if (fs::exists(path, error) && ::access(path.c_str(), W_OK) != 0) refuse_to_write(path, reason_of(errno));
  if (!is_replaced(path)) return;
  fs::path folder = file_at(path).parent_path();
  if (folder.empty()) folder = ".";
  if (::access(folder.c_str(), W_OK | X_OK) != 0) refuse_to_write(path, reason_of(errno));
}

void check_destinations(const std::vector<Destination>& destinations, const std::vector<std::string>& inputs) {
  for (auto one = destinations.begin(); one != destinations.end(); ++one) {
    if (one->path.empty()) continue;
    check_destination(one->path, inputs);
    for (auto other = destinations.begin(); other != one; ++other) {
      if (!other->path.empty() && is_same_file(other->path, one->path))
        refuse(one->path, fmt::format("{} and {} are one file", other->option, one->option), "write to two files");
    }
  }
}

void write_file(const std::string& path, const std::string& text) {
  check_destination(path);
  if (is_replaced(path)) {
    replace(path, text);
  } else {
    write_in_place(path, text);
  }
}

}  // namespace mlosim::cli
