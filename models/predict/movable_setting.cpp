#include "models/predict/movable_setting.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "models/predict/evaluate.hpp"
#include "models/predict/machine_number.hpp"
#include "sim/units/check.hpp"

namespace mlosim::predict {

MovableSetting::MovableSetting(Setting setting, RuntimeChoice choice, std::vector<std::string> paths)
    : setting_(std::move(setting)), choice_(std::move(choice)), paths_(std::move(paths)) {
  for (const std::string& path : paths_) {
    numbers_.push_back(find_number(setting_.documents, path));
    MLOSIM_CHECK(numbers_.back() != nullptr);
  }
}

bool MovableSetting::move(const std::vector<const spec::Value*>& numbers) {
  MLOSIM_CHECK(numbers.size() == numbers_.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers_[i]->text == numbers[i]->text) continue;
    *numbers_[i] = *numbers[i];
    changed_.push_back(paths_[i]);
  }
  if (changed_.empty()) return false;
  spec::Decoding decoding{.keeps_provenance = false};
  spec::decode_again(setting_.documents, changed_, setting_.hardware, decoding);
  decoding.diagnostics.throw_if_any();
  const auto has_changed = [&](std::string_view document) {
    return std::any_of(changed_.begin(), changed_.end(),
                       [&](const std::string& path) { return path.starts_with(document); });
  };
  const bool is_of_runtime = has_changed("runtime."), is_of_chip = has_changed("chip.");
  if (is_of_runtime) setting_.hardware.runtime = resolve_runtime(setting_.hardware.runtime, choice_);
  changed_.clear();
  return is_of_chip || is_of_runtime;
}

}  // namespace mlosim::predict
