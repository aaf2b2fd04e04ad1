#include "validate/cuda/measure/result_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "validate/cuda/measure/csv.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

const std::vector<std::string> kFirstColumns = {"device", "op", "dtype"};
const std::vector<std::string> kLastColumns = {"time_us", "power_w", "flag",   "software",
                                               "source",  "samples", "spread", "clock_mhz"};

std::string read_all(int file, const std::string& path) {
  std::string text;
  std::array<char, 65536> block{};
  while (true) {
    const ssize_t count = ::read(file, block.data(), block.size());
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw UsageError(path + " cannot be read: " + std::strerror(errno), "");
    text.append(block.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

std::vector<std::string> csv_columns(const std::vector<Case>& cases) {
  std::vector<std::string> columns = kFirstColumns;
  const auto add = [&](const std::string& column) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
  };
  for (const Case& one : cases) {
    for (const std::string& column : one.keys) add(column);
    for (const std::string& column : one.results) add(column);
  }
  for (const std::string& column : kLastColumns) add(column);
  return columns;
}

std::set<std::string> key_columns(const std::vector<Case>& cases) {
  std::set<std::string> columns(kFirstColumns.begin(), kFirstColumns.end());
  for (const Case& one : cases) columns.insert(one.keys.begin(), one.keys.end());
  return columns;
}

ResultFile::ResultFile(std::string path, Mode mode, std::vector<std::string> columns, std::set<std::string> key)
    : path_(std::move(path)), columns_(std::move(columns)), key_(std::move(key)) {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (mode == Mode::create ? O_EXCL : 0), 0644);
  if (file_ < 0 && errno == EEXIST)
    throw UsageError(path_ + " exists already and is not overwritten",
                     "--resume measures what it lacks, --output FILE begins another");
  if (file_ < 0)
    throw UsageError(path_ + " cannot be written: " + std::strerror(errno), "--output FILE writes it elsewhere");
  try {
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw UsageError(path_ + " is being written by another run",
                       "wait for it, or write elsewhere with --output FILE");
    read_rows();
  } catch (...) {
    ::close(file_);
    throw;
  }
}

ResultFile::~ResultFile() { ::close(file_); }

void ResultFile::read_rows() {
  const std::string text = read_all(file_, path_);
  const CsvText csv = parse_csv(text);
  if (csv.records.empty()) {
    const std::string header = format_record(columns_);
    if (header.compare(0, text.size(), text) != 0)
      throw UsageError(path_ + " is no table of measurements", "begin another with --output FILE");
    if (::ftruncate(file_, 0) != 0 || ::lseek(file_, 0, SEEK_SET) != 0)
      throw UsageError(path_ + " is not a file that can be written from its beginning", "");
    write(header);
    return;
  }
  const std::vector<std::string>& header = csv.records[0];
  for (const std::string& column : columns_)
    if (std::find(header.begin(), header.end(), column) == header.end())
      throw UsageError(path_ + ":1: the column '" + column + "' is missing, so that its rows cannot be told apart",
                       "it is from another version or no file of mlosim-measure: begin another with --output FILE");
  columns_ = header;
  for (std::size_t i = 1; i < csv.records.size(); ++i) {
    Cells row;
    for (std::size_t column = 0; column < std::min(header.size(), csv.records[i].size()); ++column)
      row.push_back({header[column], csv.records[i][column]});
    present_.insert(key_of(row));
  }
  const auto end = static_cast<off_t>(csv.whole_bytes);
  if (::ftruncate(file_, end) != 0 || ::lseek(file_, end, SEEK_SET) != end)
    throw UsageError(path_ + " cannot be continued: " + std::strerror(errno), "");
}

std::string ResultFile::key_of(const Cells& row) const {
  std::string key;
  for (const std::string& column : key_) {
    const std::string_view value = value_of(row, column);
    if (!value.empty()) key += column + '=' + std::string(value) + '\n';
  }
  return key;
}

bool ResultFile::contains(const std::string& device, const Cells& identity) const {
  Cells row = identity;
  row.push_back({"device", device});
  return present_.count(key_of(row)) > 0;
}

void ResultFile::append(const Cells& row) {
  for (const Cell& cell : row)
    if (std::find(columns_.begin(), columns_.end(), cell.column) == columns_.end())
      throw std::logic_error("no case has announced the column '" + cell.column + "'");
  std::vector<std::string> fields;
  for (const std::string& column : columns_) fields.emplace_back(value_of(row, column));
  write(format_record(fields));
  present_.insert(key_of(row));
}

void ResultFile::write(const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw std::runtime_error(path_ + " cannot be written: " + std::strerror(errno));
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace mlosim::measure
