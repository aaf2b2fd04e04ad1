#include "models/explore/open_machine.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/explore/workload_key.hpp"

namespace mlosim::explore {

OpenMachine::Move OpenMachine::move_to(std::span<const double> at, std::span<const double> slots,
                                       const std::vector<spec::Override>& settings, const predict::Workload& run) {
  const bool is_other = parts_.machine.moves(at, slots, machine_),
             has_moved = parts_.numbers.moves(at, slots, numbers_);
  if (stands_ && !is_other && !has_moved) return Move::none;
  stands_ = false;
  if (is_other || !shared_ || parts_.paths.empty()) {
    movable_.reset();
    shared_.reset();
    shared_ = decode(settings, run);
    stands_ = true;
    return Move::machine;
  }
  const bool is_new = !movable_;
  if (is_new) movable_ = std::make_unique<predict::MovableSetting>(*shared_, run.runtime, parts_.paths);
  std::vector<const spec::Value*> numbers;
  for (const std::size_t position : parts_.positions) numbers.push_back(&settings[position].value);
  const bool has_moved_chip = movable_->move(numbers);
  stands_ = true;
  return is_new ? Move::machine : has_moved_chip ? Move::numbers : Move::network;
}

std::shared_ptr<const predict::Setting> OpenMachine::decode(const std::vector<spec::Override>& settings,
                                                            const predict::Workload& run) {
  predict::Workload workload = run;
  std::string key = fmt::format("{}\n", workload_);
  for (const spec::Override& change : settings) {
    if (is_of_machine(change.path)) workload.overrides.push_back(change);
    if (changes_setting(change.path)) key += change.path + "=" + spec::render_yaml(change.value) + "\n";
  }
  return settings_.setting(key, workload);
}

}  // namespace mlosim::explore
