// A suite of published end-to-end figures (interfaces.md, "Measurements"): workloads with what was measured of them,
// read from YAML. Whether mlosim can predict a row is not decided here.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "sim/spec/document.hpp"

namespace mlosim::suite {

// What a row may say was measured, in the order in which it is scored; plain numbers in the unit of the name.
inline constexpr std::array<std::string_view, 7> kMeasuredFields{
    "time_s",   "tokens_per_s_per_chip", "output_tokens_per_s_per_chip", "ttft_s", "tpot_s",
    "energy_j", "per_chip_bytes"};

struct PublishedRow {
  std::string id;                          // of its own in the suite
  spec::Value workload;                    // a workload document, not decoded yet; its schema is filled in
  std::map<std::string, double> measured;  // by kMeasuredFields; at least one, all greater than zero
  std::string unknown;                     // what the source leaves open
  std::string source;
  spec::Place place;
};

struct PublishedSuite {
  std::string name, description;
  std::vector<PublishedRow> rows;
};

// Reads a file, or standard input for "-". Throws spec::InputError with all mistakes but those inside the workloads.
PublishedSuite read_suite(const std::string& path);

// The same for a document that has been read already.
PublishedSuite decode_suite(const spec::Value& document);

}  // namespace mlosim::suite
