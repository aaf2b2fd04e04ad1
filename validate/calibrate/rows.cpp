#include "validate/calibrate/rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "sim/spec/spelling.hpp"

namespace mlosim::calibrate {
namespace {

// A format's short name, where a table spells it out.
std::string_view short_dtype(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kLong{
      {{"bfloat16", "bf16"}, {"float16", "fp16"}, {"float32", "fp32"}, {"float64", "fp64"}}};
  for (const auto& [spelled_out, name] : kLong) {
    if (dtype == spelled_out) return name;
  }
  return dtype;
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
}

// Whether a pattern takes the text and none that starts with '!' leaves it out.
bool is_taken(const std::vector<std::string>& patterns, std::string_view text) {
  bool is_listed = false, lists_any = false;
  for (const std::string& pattern : patterns) {
    if (pattern.starts_with('!')) {
      if (suite::matches(pattern.substr(1), text)) return false;
      continue;
    }
    lists_any = true;
    is_listed = is_listed || suite::matches(pattern, text);
  }
  return is_listed || !lists_any;
}

bool is_chosen(const suite::Measurement& row, const RowChoice& choice) {
  const bool dtype = choice.dtypes.empty() ||
                     std::any_of(choice.dtypes.begin(), choice.dtypes.end(),
                                 [&](const std::string& d) { return short_dtype(d) == short_dtype(row.dtype); });
  return dtype && has(choice.chips, row.device) && has(choice.operators, operator_of(row)) &&
         (choice.runtime.empty() || row.protocol->runtime == choice.runtime) && is_taken(choice.software, row.software);
}

// What a wrong choice may have meant: the words of one kind that the rows have.
void explain(std::string_view what, const std::vector<std::string>& asked, const std::set<std::string>& there) {
  for (const std::string& word : asked) {
    if (there.contains(word)) continue;
    throw spec::InputError(fmt::format("the suites have no usable row of {} '{}'", what, word),
                           spec::spelling_hint(word, {there.begin(), there.end()}));
  }
}

}  // namespace

std::string operator_of(const suite::Measurement& row) {
  return std::holds_alternative<work::Elementwise>(row.work) ? "elementwise" : std::string(work::name_of(row.work));
}

std::vector<std::string> RowSet::operators() const {
  std::set<std::string> operators;
  for (const Row& row : rows) operators.insert(operator_of(*row.measurement));
  return {operators.begin(), operators.end()};
}

Measurements::Measurements(const spec::Library& library, const std::vector<std::string>& suites)
    : library_(library), protocols_(library) {
  std::vector<std::string> paths;
  for (const std::string& suite : suites) {
    paths.push_back(library.require(spec::Shelf::suites, suite));
    if (!paths.back().ends_with(".csv")) {
      throw spec::InputError(fmt::format("'{}' is no table of measurements", suite),
                             "parameters of kernels are fitted to CSV tables");
    }
  }
  tables_.resize(paths.size());
  tbb::parallel_for(std::size_t(0), paths.size(),
                    [&](std::size_t i) { tables_[i] = suite::read_table(library, protocols_, paths[i], {}); });
}

std::vector<std::string> Measurements::chips() const {
  std::set<std::string> chips;
  for (const suite::Table& table : tables_) {
    for (const suite::Measurement& row : table.rows) chips.insert(row.device);
  }
  return {chips.begin(), chips.end()};
}

std::vector<std::string> Measurements::suite_names() const {
  std::vector<std::string> names;
  for (const suite::Table& table : tables_) names.push_back(std::filesystem::path(table.file).filename().string());
  return names;
}

RowSet Measurements::choose(const RowChoice& choice) const {
  RowSet set;
  std::map<work::Operator, std::size_t> shapes;
  std::map<std::pair<std::string, std::string>, std::size_t> machines;
  std::set<std::string> chips, operators, dtypes, runtimes;
  for (const suite::Table& table : tables_) {
    set.skipped += table.skipped.size();
    for (const suite::Measurement& row : table.rows) {
      if (row.op == "collective") continue;  // has parameters of its own, in another document
      chips.insert(row.device);
      operators.insert(operator_of(row));
      dtypes.insert(std::string(short_dtype(row.dtype)));
      runtimes.insert(row.protocol->runtime);
      if (!is_chosen(row, choice)) continue;
      const auto [machine, is_new] = machines.try_emplace({row.system, row.protocol->runtime}, set.machines.size());
      if (is_new) {
        std::vector<std::string> warnings;
        set.machines.push_back({row.system, row.protocol->runtime,
                                spec::read_hardware(library_, row.system, row.protocol->runtime, warnings)});
      }
      const std::size_t shape = shapes.try_emplace(row.work, shapes.size()).first->second;
      set.rows.push_back({&row, machine->second, shape, suite::is_in_fit_half(row.work)});
    }
  }
  if (!set.rows.empty()) return set;
  explain("chip", choice.chips, chips);
  explain("operator", choice.operators, operators);
  std::vector<std::string> asked;
  for (const std::string& dtype : choice.dtypes) asked.emplace_back(short_dtype(dtype));
  explain("format", asked, dtypes);
  if (!choice.runtime.empty()) explain("runtime", {choice.runtime}, runtimes);
  throw spec::InputError("no row of the suites is left to fit",
                         "the chip, operators, formats and software exclude each other");
}

}  // namespace mlosim::calibrate
