#include "validate/calibrate/kept.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "sim/spec/diagnostics.hpp"
#include "validate/compare/predict_row.hpp"

namespace mlosim::calibrate {
namespace {

struct Number {
  std::string path;
  const spec::Value* value;
};

// Numbers of kind `fitted` at and below a value.
void find_fitted(const spec::Value& at, const std::string& path, std::vector<Number>& found) {
  const spec::Value* kind = at.find("kind");
  if (kind && kind->is_scalar() && kind->text == "fitted") {
    found.push_back({path, &at});
    return;
  }
  for (const spec::Member& member : at.members) find_fitted(member.value, path + "." + member.key, found);
  for (std::size_t i = 0; i < at.items.size(); ++i) find_fitted(at.items[i], fmt::format("{}.{}", path, i), found);
}

// The annotated number, or list of numbers, times a factor; 0 becomes the factor itself.
spec::Value scaled(spec::Value value, double factor) {
  const char* const end = value.text.data() + value.text.size();
  double number = 0;
  if (const auto [unit, error] = std::from_chars(value.text.data(), end, number);
      value.is_scalar() && error == std::errc()) {
    value.text = fmt::format("{:.17g}{}", std::abs(number) > 0 ? number * factor : factor, std::string(unit, end));
  }
  for (spec::Value& item : value.items) item = scaled(std::move(item), factor);
  for (spec::Member& member : value.members) {
    if (member.key != "kind" && member.key != "source") member.value = scaled(std::move(member.value), factor);
  }
  return value;
}

// Seconds; none where the machine cannot run the row.
std::optional<double> time_of(const Row& row, const spec::Hardware& hardware) {
  try {
    return compare::predict_row(*row.measurement, hardware).time.si();
  } catch (const spec::InputError&) {
    return std::nullopt;
  }
}

// A machine with its rows and their times.
class Probe {
 public:
  Probe(const Objective& objective, std::size_t machine, const spec::HardwareDocuments& documents)
      : documents_(documents) {
    for (const Row& row : objective.rows()) {
      if (row.machine == machine) rows_.push_back(&row);
    }
    const spec::Hardware hardware = decode(documents);
    times_.resize(rows_.size());
    tbb::parallel_for(std::size_t(0), rows_.size(), [&](std::size_t i) { times_[i] = time_of(*rows_[i], hardware); });
  }

  bool moves(const Number& number) const {
    bool is_readable = false;
    for (const double factor : {0.5, 2.0}) {
      spec::HardwareDocuments changed = documents_;
      try {
        spec::apply_override(changed, {number.path, scaled(*number.value, factor)});
        if (moves_any(decode(changed))) return true;
        is_readable = true;
      } catch (const spec::InputError&) {
        continue;
      }
    }
    return !is_readable;
  }

 private:
  bool moves_any(const spec::Hardware& hardware) const {
    constexpr double kRounding = 1e-9;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::optional<double> time = time_of(*rows_[i], hardware);
      if (time.has_value() != times_[i].has_value()) return true;
      if (time && std::abs(*time / *times_[i] - 1) > kRounding) return true;
    }
    return false;
  }

  const spec::HardwareDocuments& documents_;
  std::vector<const Row*> rows_;
  std::vector<std::optional<double>> times_;
};

bool is_free(const Objective& objective, std::size_t machine, const std::string& path) {
  for (std::size_t p = 0; p < objective.parameters().size(); ++p) {
    if (objective.parameters()[p].path == path && objective.holds(machine, p)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> kept_numbers(const Objective& objective, const Setting& setting) {
  const std::vector<spec::HardwareDocuments> machines = objective.documents_at(setting);
  std::set<std::string> kept;
  for (std::size_t m = 0; m < machines.size(); ++m) {
    std::vector<Number> numbers;
    find_fitted(machines[m].chip, "chip", numbers);
    std::erase_if(numbers, [&](const Number& n) { return is_free(objective, m, n.path); });
    const Probe probe(objective, m, machines[m]);
    std::vector<char> moves(numbers.size(), 0);
    tbb::parallel_for(std::size_t(0), numbers.size(), [&](std::size_t i) { moves[i] = probe.moves(numbers[i]); });
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::filesystem::path file = numbers[i].value->place().file;
      if (moves[i]) kept.insert(fmt::format("{} ({})", numbers[i].path, file.filename().string()));
    }
  }
  return {kept.begin(), kept.end()};
}

}  // namespace mlosim::calibrate
