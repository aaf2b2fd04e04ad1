#include "models/predict/reasons.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "models/predict/evaluate.hpp"
#include "models/predict/predict.hpp"
#include "sim/spec/document.hpp"

namespace mlosim::predict {
namespace {

using spec::HardwareDocuments;
using spec::Value;

constexpr double kLeastFactor = 0.001;

void drop(Value& document, std::string_view key) {
  std::erase_if(document.members, [&](const spec::Member& member) { return member.key == key; });
}

// `key` of `to` becomes that of `from`, or goes where `from` has none.
void take(Value& to, const Value& from, std::string_view key) {
  const Value* value = from.find(key);
  if (!value) {
    drop(to, key);
  } else if (Value* old = to.find(key)) {
    *old = *value;
  } else {
    to.members.push_back({std::string(key), value->place(), *value});
  }
}

using Exchange = std::function<void(HardwareDocuments& to, const HardwareDocuments& from)>;

struct Group {
  std::string_view what;
  std::string_view number;  // that is shown
  Exchange exchange;
};

Exchange of_chip(std::vector<std::string_view> keys) {
  return [keys = std::move(keys)](HardwareDocuments& to, const HardwareDocuments& from) {
    for (const std::string_view key : keys) take(to.chip, from.chip, key);
  };
}

Exchange of_system(std::vector<std::string_view> keys) {
  return [keys = std::move(keys)](HardwareDocuments& to, const HardwareDocuments& from) {
    for (const std::string_view key : keys) take(to.system, from.system, key);
  };
}

// The rate of the device memory, which every chip calls hbm.
void exchange_memory_rate(HardwareDocuments& to, const HardwareDocuments& from) {
  Value* own = to.chip.find("hbm");
  const Value* other = from.chip.find("hbm");
  if (!own || !other) return;
  for (const std::string_view key : {"bandwidth", "efficiency"}) take(*own, *other, key);
}

// All levels with their list; the device memory's rate has been exchanged or comes along.
void exchange_levels(HardwareDocuments& to, const HardwareDocuments& from) {
  Value names = to.chip;
  for (const Value* chip : {static_cast<const Value*>(&names), &from.chip}) {
    const Value* levels = chip->find("levels");
    for (const Value& level : levels ? levels->items : std::vector<Value>{}) {
      if (level.text != "hbm") take(to.chip, from.chip, level.text);
    }
  }
  take(to.chip, from.chip, "levels");
}

void exchange_memory(HardwareDocuments& to, const HardwareDocuments& from) {
  const Value* own = to.chip.find("hbm");
  const std::optional<Value> kept = own ? std::optional(*own) : std::nullopt;
  take(to.chip, from.chip, "hbm");
  take(to.chip, from.chip, "usable_memory");
  Value* now = to.chip.find("hbm");
  if (!kept || !now) return;
  for (const std::string_view key : {"bandwidth", "efficiency"}) take(*now, *kept, key);
}

void exchange_fabric(HardwareDocuments& to, const HardwareDocuments& from) {
  take(to.system, from.system, "fabric");
  take(to.system, from.system, "collectives");
  to.collectives = from.collectives;
}

const std::vector<Group>& groups() {
  static const std::vector<Group> kGroups{
      {"clock", "chip.clock", of_chip({"clock", "rated_clock"})},
      {"number of units", "chip.units", of_chip({"units", "silicon"})},
      {"matrix units", "chip.matrix.bf16", of_chip({"matrix", "array"})},
      {"vector units", "chip.vector", of_chip({"vector", "exponentials"})},
      {"memory bandwidth", "chip.hbm.bandwidth", exchange_memory_rate},
      {"memory latency and capacity", "chip.hbm.latency", exchange_memory},
      {"caches and scratchpads", "chip.l2.bandwidth", exchange_levels},
      {"power", "chip.power.cap", of_chip({"power"})},
      {"launch and host", "chip.launch.graph", of_chip({"launch", "host_link"})},
      {"kernels", "", of_chip({"gemm", "attention", "moe", "elementwise", "systolic"})},
      {"fabric", "system.fabric.bandwidth", exchange_fabric},
      {"network beyond the node", "system.scale_out.bandwidth", of_system({"scale_out"})},
      {"software", "", [](HardwareDocuments& to, const HardwareDocuments& from) { to.runtime = from.runtime; }},
      {"the rest", "", [](HardwareDocuments& to, const HardwareDocuments& from) { to = from; }}};
  return kGroups;
}

class Walk {
 public:
  Walk(const Workload& workload, const Setting& base, chip::Fidelity fidelity)
      : workload_(workload), base_(base), time_of_(closed_form_of(workload, base, fidelity)) {}

  std::optional<Seconds> time(const HardwareDocuments& documents) const {
    spec::Decoding decoding{.keeps_provenance = false};
    spec::Hardware hardware = spec::decode_hardware(documents, decoding);
    if (!decoding.diagnostics.empty()) return std::nullopt;
    try {
      check_against_machine(workload_, hardware.system);
      return time_of_(std::move(hardware));
    } catch (const spec::InputError&) {  // fewer chips, a format that is gone
      return std::nullopt;
    }
  }

  // Logarithms of the speed that each group is worth, in the given order of their indices; a group that made no machine
  // has its part with the one after it.
  std::vector<std::pair<std::set<std::size_t>, double>> run(const HardwareDocuments& other,
                                                            const std::vector<std::size_t>& order) const {
    HardwareDocuments documents = base_.documents;
    std::vector<std::pair<std::set<std::size_t>, double>> parts;
    std::optional<Seconds> before = time(documents);
    std::set<std::size_t> pending;
    for (const std::size_t i : order) {
      groups()[i].exchange(documents, other);
      pending.insert(i);
      const std::optional<Seconds> now = time(documents);
      if (!now || !before) continue;
      parts.emplace_back(std::exchange(pending, {}), std::log(*before / *now));
      before = now;
    }
    return parts;
  }

 private:
  const Workload& workload_;
  const Setting& base_;
  std::function<Seconds(spec::Hardware)> time_of_;
};

std::string number_of(const spec::ProvenanceTable& table, std::string_view path) {
  const auto found = table.find(std::string(path));
  return found == table.end() ? std::string() : found->second.text;
}

Reason describe(const std::set<std::size_t>& which, double logarithm, const Setting& base, const Setting& other) {
  Reason reason{.what = "", .from = "", .to = "", .factor = std::exp(logarithm)};
  for (const std::size_t i : which) reason.what += (reason.what.empty() ? "" : " and ") + std::string(groups()[i].what);
  if (which.size() != 1) return reason;
  const std::string_view number = groups()[*which.begin()].number;
  reason.from = number_of(base.hardware.provenance, number);
  reason.to = number_of(other.hardware.provenance, number);
  if (reason.from == reason.to) reason.from = reason.to = "";
  return reason;
}

}  // namespace

std::vector<Reason> find_reasons(const Workload& base_workload, const Setting& base, const Workload& other_workload,
                                 const Setting& other, chip::Fidelity fidelity) {
  const Walk walk(base_workload, base, fidelity);
  std::vector<std::size_t> order(groups().size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  // The rest is all of the other machine: last both ways.
  std::vector<std::size_t> backward(order.rbegin() + 1, order.rend());
  backward.push_back(order.back());
  std::map<std::set<std::size_t>, double> sums;
  for (const auto& way : {order, backward}) {
    for (const auto& [which, logarithm] : walk.run(other.documents, way)) sums[which] += logarithm / 2;
  }
  std::vector<Reason> reasons;
  double hardware = 0;
  for (const auto& [which, logarithm] : sums) {
    hardware += logarithm;
    if (std::abs(logarithm) >= kLeastFactor) reasons.push_back(describe(which, logarithm, base, other));
  }
  // What is left is the workload's: other chips, other parallelism, other formats.
  const Seconds before = closed_form_of(base_workload, base, fidelity)(base.hardware);
  const Seconds after = closed_form_of(other_workload, other, fidelity)(other.hardware);
  const double workload = std::log(before / after) - hardware;
  if (std::abs(workload) >= kLeastFactor)
    reasons.push_back(
        {.what = "chips, layout and formats of the workload", .from = "", .to = "", .factor = std::exp(workload)});
  std::stable_sort(reasons.begin(), reasons.end(), [](const Reason& a, const Reason& b) {
    return std::abs(std::log(a.factor)) > std::abs(std::log(b.factor));
  });
  return reasons;
}

std::vector<Difference> find_differences(const spec::ProvenanceTable& base, const spec::ProvenanceTable& other) {
  std::set<std::string> paths;
  for (const auto* table : {&base, &other}) {
    for (const auto& [path, provenance] : *table) paths.insert(path);
  }
  std::vector<Difference> differences;
  for (const std::string& path : paths) {
    Difference d{.parameter = path, .from = number_of(base, path), .to = number_of(other, path)};
    if (d.from != d.to) differences.push_back(std::move(d));
  }
  return differences;
}

}  // namespace mlosim::predict
