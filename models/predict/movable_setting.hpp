// A workload's machine whose numbers change again and again: each time what make_setting says of it, with no more of
// its documents read than those numbers are in. Used by models/explore.
#pragma once

#include <string>
#include <vector>

#include "models/predict/setting.hpp"
#include "models/predict/workload.hpp"

namespace mlosim::predict {

class MovableSetting {
 public:
  // `paths` ("chip.hbm.bandwidth") are numbers of the setting's documents (machine_number.hpp); `choice` is what the
  // workload says of its runtime.
  MovableSetting(Setting setting, RuntimeChoice choice, std::vector<std::string> paths);
  MovableSetting(const MovableSetting&) = delete;
  MovableSetting& operator=(const MovableSetting&) = delete;

  // Sets the number at each path. Throws spec::InputError where that is no valid machine; there is none then until a
  // call succeeds. Warnings are left out, and so is a check against the workload.
  // Whether any number of the chip or the runtime has moved since the last call that succeeded: otherwise at most the
  // network is another.
  bool move(const std::vector<const spec::Value*>& numbers);

  // At one address always. Its provenance is that of the setting it was made of.
  const Setting& setting() const { return setting_; }

 private:
  Setting setting_;
  RuntimeChoice choice_;
  std::vector<std::string> paths_;
  std::vector<spec::Value*> numbers_;  // in setting_.documents
  std::vector<std::string> changed_;   // that have not been decoded yet
};

}  // namespace mlosim::predict
