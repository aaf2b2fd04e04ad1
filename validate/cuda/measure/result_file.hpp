// The measurement CSV on disk: created but never overwritten, one whole line a row as it comes, and read back by a run
// that goes on after an interruption. Host side only: no CUDA.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "validate/cuda/measure/case.hpp"
#include "validate/cuda/measure/row.hpp"

namespace mlosim::measure {

// One wide table over all cases: device, op, dtype, the cases' keys and results in their order, then time_us, power_w,
// flag, software, source and how the time was taken. The same for every run of one build, whatever it selects.
std::vector<std::string> csv_columns(const std::vector<Case>& cases);

// Columns that name a row: device, op, dtype and the keys of all cases. Those that a case does not have are empty in
// its rows.
std::set<std::string> key_columns(const std::vector<Case>& cases);

class ResultFile {
 public:
  enum class Mode { create, resume };

  // Creates the file with its header. Where it exists already: `create` refuses; `resume` reads its rows, cuts a torn
  // last line off and goes on behind (a file that does not exist yet is created). Throws UsageError: exists, no
  // permission, other columns, in use by another run.
  ResultFile(std::string path, Mode mode, std::vector<std::string> columns, std::set<std::string> key);
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;

  // Whether a row with this device and identity is there. A row that was flagged is: delete it to measure it again.
  bool contains(const std::string& device, const Cells& identity) const;

  // Writes the row and hands it to the system before it returns. A column that the file does not have is a mistake of
  // ours (std::logic_error); a disk that is full throws std::runtime_error.
  void append(const Cells& row);

  const std::string& path() const { return path_; }

 private:
  void read_rows();
  void write(const std::string& text) const;
  std::string key_of(const Cells& row) const;

  std::string path_;
  std::vector<std::string> columns_;
  std::set<std::string> key_;
  std::set<std::string> present_;
  int file_ = -1;
};

}  // namespace mlosim::measure
