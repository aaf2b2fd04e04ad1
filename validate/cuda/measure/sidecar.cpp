#include "validate/cuda/measure/sidecar.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <utility>

#include "validate/cuda/measure/row.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

constexpr const char* kHeader = "schema: mlosim/measurement_runs/1\nruns:\n";

std::string quoted(const std::string& text) {
  std::string scalar = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      scalar += '\\';
      scalar += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
      scalar += escape.data();
    } else {
      scalar += c;
    }
  }
  return scalar + "\"";
}

}  // namespace

Fact text_fact(std::string name, const std::string& text) { return {std::move(name), quoted(text)}; }

Fact number_fact(std::string name, std::optional<double> value) {
  return {std::move(name), value ? number_cell("", *value, 12).value : "null"};
}

Fact flag_fact(std::string name, std::optional<bool> value) {
  if (!value) return {std::move(name), "null"};
  return {std::move(name), *value ? "true" : "false"};
}

Sidecar::Sidecar(std::string path, std::string earlier, std::vector<Fact> facts)
    : path_(std::move(path)), earlier_(std::move(earlier)), facts_(std::move(facts)) {
  if (earlier_.rfind(kHeader, 0) != 0) {
    if (!earlier_.empty())
      throw UsageError(path_ + " is there already and is no sidecar of a measurement",
                       "--output FILE writes the CSV and its sidecar elsewhere");
    earlier_ = kHeader;
  }
  if (earlier_.back() != '\n') earlier_ += '\n';
}

void Sidecar::write(const RunState& state) const {
  std::vector<Fact> facts = facts_;
  facts.push_back(flag_fact("finished", state.finished));
  facts.push_back(number_fact("rows", state.rows));
  facts.push_back(number_fact("skipped", state.skipped));
  facts.push_back(number_fact("wrong_results", state.wrong));
  facts.push_back(number_fact("failed", state.failed));
  facts.push_back(number_fact("wall_s", state.wall.count()));
  std::string text = earlier_;
  const char* lead = "  - ";
  for (const Fact& fact : facts) {
    text += lead + fact.name + ": " + fact.scalar + "\n";
    lead = "    ";
  }
  const std::string draft = path_ + ".new";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(draft.c_str(), path_.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(draft.c_str());
    throw UsageError(path_ + " cannot be written: " + reason, "--output FILE writes the CSV and its sidecar elsewhere");
  }
}

std::string sidecar_path(const std::string& csv_path) {
  const std::string ending = ".csv";
  const bool is_csv =
      csv_path.size() > ending.size() && csv_path.compare(csv_path.size() - ending.size(), ending.size(), ending) == 0;
  return (is_csv ? csv_path.substr(0, csv_path.size() - ending.size()) : csv_path) + ".yaml";
}

std::string read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace mlosim::measure
