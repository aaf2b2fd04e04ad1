#include "validate/calibrate/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "sim/spec/spelling.hpp"
#include "sim/spec/utf8.hpp"
#include "validate/suite/decode_row.hpp"
#include "validate/suite/suite_file.hpp"

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

// Whether a row is chosen, its runtime aside.
bool is_chosen(const suite::Measurement& row, const RowChoice& choice) {
  return has(choice.dtypes, short_dtype(row.dtype)) && has(choice.chips, row.device) &&
         has(choice.operators, operator_of(row)) && is_taken(choice.software, row.software);
}

// Collectives have parameters of their own, in another document.
bool is_fitted_here(const suite::Measurement& row) { return row.op != "collective"; }

using Words = std::set<std::string>;

// Refuses words of one kind that no row has. `is_there` says whether rows with `there` have one.
template <class IsThere>
void explain(std::string_view what, const std::vector<std::string>& asked, const Words& there, IsThere is_there) {
  for (const std::string& word : asked) {
    if (is_there(word)) continue;
    throw spec::InputError(fmt::format("the suites have no usable row of {} '{}'", what, word),
                           spec::spelling_hint(word, {there.begin(), there.end()}));
  }
}

void explain(std::string_view what, const std::vector<std::string>& asked, const Words& there) {
  explain(what, asked, there, [&](const std::string& word) { return there.contains(word); });
}

// Refuses what the tables have no row of.
void explain(const RowChoice& choice, const std::vector<suite::Table>& tables) {
  Words chips, operators, dtypes, software;
  for (const suite::Table& table : tables) {
    for (const suite::Measurement& row : table.rows) {
      if (!is_fitted_here(row)) continue;
      chips.insert(row.device);
      operators.insert(operator_of(row));
      dtypes.insert(std::string(short_dtype(row.dtype)));
      software.insert(row.software);
    }
  }
  explain("chip", choice.chips, chips);
  explain("operator", choice.operators, operators);
  explain("format", choice.dtypes, dtypes);
  explain("software", choice.software, software, [&](const std::string& pattern) {
    return pattern.starts_with('!') || std::any_of(software.begin(), software.end(), [&](const std::string& name) {
             return suite::matches(pattern, name);
           });
  });
}

// The choice in the names that rows have.
RowChoice in_rows_names(RowChoice choice) {
  for (std::string& chip : choice.chips) chip = suite::chip_of_device(chip);
  for (std::string& dtype : choice.dtypes) dtype = short_dtype(dtype);
  return choice;
}

// The file's name, with '?' for what is no text.
std::string name_of_suite(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  while (const std::optional<std::size_t> bad = spec::first_bad_byte(name)) name[*bad] = '?';
  return name;
}

// The runtime whose kernels are laid over the chip: an empty name stands for the vendor's default.
std::string runtime_of(const spec::HardwareDocuments& documents) {
  const spec::Value* name = documents.runtime.find("name");
  return name ? name->text : std::string();
}

}  // namespace

spec::Hardware decode(const spec::HardwareDocuments& documents) {
  std::vector<std::string> warnings;  // the same for every setting of the numbers: validation prints them
  return spec::require_hardware(documents, warnings);
}

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
    if (!suite::is_table(paths.back())) {
      throw spec::InputError(fmt::format("'{}' is no table of measurements", suite),
                             "parameters of kernels are fitted to CSV tables");
    }
  }
  tables_ = suite::read_tables(library, protocols_, paths, {});
}

RowSet Measurements::choose(const RowChoice& wish) const {
  const RowChoice choice = in_rows_names(wish);
  explain(choice, tables_);
  RowSet set;
  std::map<std::vector<std::int64_t>, std::size_t> shapes;
  std::map<std::pair<std::string, std::string>, std::optional<std::size_t>> machines;  // null: of another runtime
  Words runtimes;
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    set.suites.push_back(name_of_suite(tables_[t].file));
    set.skipped += tables_[t].skipped.size();
    for (const suite::Measurement& row : tables_[t].rows) {
      if (!is_fitted_here(row) || !is_chosen(row, choice)) continue;
      const auto [machine, is_new] = machines.try_emplace({row.system, row.protocol->runtime});
      if (is_new) {
        std::vector<std::string> warnings;
        spec::HardwareDocuments documents =
            spec::read_hardware(library_, row.system, {.name = row.protocol->runtime}, warnings);
        const std::string runtime = runtime_of(documents);
        runtimes.insert(runtime);
        if (choice.runtime.empty() || choice.runtime == runtime) {
          machine->second = set.machines.size();
          set.machines.push_back({row.system, runtime, std::move(documents)});
        }
      }
      if (!machine->second) continue;
      const std::size_t shape = shapes.try_emplace(suite::shape_of(row.work), shapes.size()).first->second;
      set.rows.push_back({&row, *machine->second, t, shape, suite::is_in_fit_half(row.work)});
    }
  }
  if (!set.rows.empty()) return set;
  if (!choice.runtime.empty() && !runtimes.empty()) explain("runtime", {choice.runtime}, runtimes);
  throw spec::InputError("no row of the suites is left to fit",
                         "the chip, operators, formats and software exclude each other");
}

}  // namespace mlosim::calibrate
