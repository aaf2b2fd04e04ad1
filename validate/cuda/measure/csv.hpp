// Records of comma-separated text (RFC 4180): how one line is written and how a file, whose last line may be torn by an
// interruption, is read back. Host side only: no CUDA.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mlosim::measure {

// With its line feed. Fields that hold a comma, a quote or a line break are quoted.
std::string format_record(const std::vector<std::string>& fields);

struct CsvText {
  std::vector<std::vector<std::string>> records;
  std::size_t whole_bytes = 0;  // up to and with the last line feed that ends a record; what follows is a torn line
};

// Records that are ended by a line feed, in order; blank lines are none. Never fails: any bytes are some records.
CsvText parse_csv(std::string_view text);

}  // namespace mlosim::measure
