// The machine of one workload at one point after the other, on one thread: decoded whole where another one is meant,
// moved where no more than its numbers are others.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/explore/evaluator.hpp"
#include "models/explore/point_parts.hpp"
#include "models/predict/movable_setting.hpp"

namespace mlosim::explore {

class OpenMachine {
 public:
  // All outlive it. `parts` are those of the workload.
  OpenMachine(SharedSettings& settings, std::size_t workload, const PointParts& parts)
      : settings_(settings), workload_(workload), parts_(parts) {}

  enum class Move {
    none,
    network,  // numbers of the setting, in place, and none of its chip or runtime
    numbers,  // of the setting, in place
    machine,  // another setting
  };

  // To the machine of `run` at a point; `settings` are settings_of it. Throws spec::InputError where it is none, and
  // nothing then stands. That it has chips enough is not asked.
  Move move_to(std::span<const double> at, std::span<const double> slots, const std::vector<spec::Override>& settings,
               const predict::Workload& run);

  const predict::Setting& setting() const { return movable_ ? movable_->setting() : *shared_; }

 private:
  std::shared_ptr<const predict::Setting> decode(const std::vector<spec::Override>& settings,
                                                 const predict::Workload& run);

  SharedSettings& settings_;
  std::size_t workload_;
  const PointParts& parts_;
  bool stands_ = false;
  std::vector<double> machine_, numbers_;  // of the last point
  std::shared_ptr<const predict::Setting> shared_;
  std::unique_ptr<predict::MovableSetting> movable_;
};

}  // namespace mlosim::explore
