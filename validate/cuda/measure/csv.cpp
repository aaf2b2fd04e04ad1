#include "validate/cuda/measure/csv.hpp"

namespace mlosim::measure {

std::string format_record(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  line += '\n';
  return line;
}

CsvText parse_csv(std::string_view text) {
  CsvText csv;
  std::vector<std::string> record;
  std::string field;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
      continue;
    }
    switch (c) {
      case '"':
        quoted = true;
        break;
      case ',':
        record.push_back(std::move(field));
        field.clear();
        break;
      case '\r':
        break;
      case '\n':
        record.push_back(std::move(field));
        field.clear();
        if (record.size() > 1 || !record[0].empty()) csv.records.push_back(std::move(record));
        record.clear();
        csv.whole_bytes = i + 1;
        break;
      default:
        field += c;
    }
  }
  return csv;
}

}  // namespace mlosim::measure
