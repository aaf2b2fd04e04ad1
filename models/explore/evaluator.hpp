// From a point to its figures. An evaluator belongs to one thread; what threads share (decoded machines) is in
// SharedSettings. The general one lays a point over its workloads' documents and predicts them; that of training
// layouts decodes once for all points that differ in their layout alone.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "models/explore/blueprint.hpp"
#include "models/predict/setting.hpp"

namespace mlosim::explore {

enum class Verdict {
  evaluated,
  impossible,  // no such design, or it does not fit: the reason says why
  redundant,   // another point says the same (best_parallelism): not to be counted
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;

  // `slots` holds the numbers of axes and derived paths; its metrics are filled in where the point is evaluated. What
  // does not fit its memory is evaluated all the same, and `fits` false.
  struct Answer {
    Verdict verdict = Verdict::evaluated;
    std::string reason{};
    bool prunes = false;  // every point that shares the first `shared` axes has the same verdict
    std::size_t shared = 0;
  };
  virtual Answer evaluate(std::span<const double> at, std::span<double> slots) = 0;
};

// Machines by what was laid over them, decoded once each; the ones used last are kept. For any number of threads.
class SharedSettings {
 public:
  explicit SharedSettings(const spec::Library& library) : library_(library) {}

  // The machine of `workload`, whose own overrides are `key` as text.
  std::shared_ptr<const predict::Setting> setting(const std::string& key, const predict::Workload& workload);

 private:
  static constexpr std::size_t kMostKept = 256;

  const spec::Library& library_;
  std::mutex mutex_;
  std::map<std::string, spec::HardwareDocuments> documents_;  // by system and stack
  std::map<std::string, std::shared_ptr<const predict::Setting>> settings_;
  std::list<std::string> order_;  // of settings_, the one made first in front
};

// The right one for the study. `blueprint` and `settings` outlive it.
std::unique_ptr<Evaluator> make_evaluator(const Blueprint& blueprint, SharedSettings& settings);

// Whether the study's training layouts are evaluated without reading documents again.
bool shares_layouts(const Blueprint& blueprint);

// Writes the metrics of a workload's prediction into the slots of the point.
void fill_metrics(const predict::Prediction& prediction, std::size_t workload, const SlotLayout& layout,
                  std::span<double> slots);

inline constexpr const char* kMisfit = "does not fit its memory";

// Why a prediction's design is none: empty where it fits its memory.
std::string misfit_of(const predict::Prediction& prediction);

// "path: message" of the first mistake.
std::string reason_of(const spec::InputError& error);

}  // namespace mlosim::explore
