#include "models/predict/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "sim/units/format.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::predict {
namespace {

constexpr double kStep = 0.02;
constexpr double kLeastShare = 0.005;        // bottlenecks below it are not listed
constexpr double kLeastElasticity = 0.001;
constexpr std::size_t kMostAssumptions = 12;

// The number at a path of the documents, as text; null where there is none.
const spec::Value* find_number(const spec::HardwareDocuments& documents, std::string_view path) {
  const spec::Value* at = nullptr;
  for (const auto& [prefix, document] : {std::pair<std::string_view, const spec::Value*>{"chip.", &documents.chip}, {"system.", &documents.system},
                                         {"collectives.", &documents.collectives}, {"runtime.", &documents.runtime}}) {
    if (!path.starts_with(prefix)) continue;
    at = document;
    path.remove_prefix(prefix.size());
    break;
  }
  while (at && !path.empty()) {
    const std::size_t dot = path.find('.');
    at = at->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  if (at && at->is_mapping()) at = at->find("value");
  return at && at->is_scalar() ? at : nullptr;
}

// Scales the number at a path; false where there is none.
bool scale(spec::HardwareDocuments& documents, const std::string& path, double factor) {
  const spec::Value* number = find_number(documents, path);
  if (!number) return false;
  const auto parsed = parse_quantity(number->text);
  const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
  if (!quantity) return false;
  const_cast<spec::Value*>(number)->text = format_exact(quantity->si * factor, quantity->dimension);
  return true;
}

Seconds time_with(const spec::HardwareDocuments& documents, const std::vector<std::string>& paths, double factor, const TimeOf& time_of) {
  spec::HardwareDocuments changed = documents;
  for (const std::string& path : paths) scale(changed, path, factor);
  spec::Decoding decoding;
  const spec::Hardware hardware = spec::decode_hardware(changed, decoding);
  // A share that is scaled past 1, or a count that is no longer whole, has no neighbour on that side.
  if (!decoding.diagnostics.empty()) return Seconds(0);
  return time_of(hardware);
}

// All parameters whose last word is one of `words`, by the provenance of what was read.
std::vector<std::string> paths_ending_in(const spec::Hardware& hardware, std::string_view root, const std::vector<std::string_view>& words) {
  std::vector<std::string> paths;
  for (const auto& [path, provenance] : hardware.provenance) {
    const std::string_view last = std::string_view(path).substr(path.rfind('.') + 1);
    if (path.starts_with(root) && std::find(words.begin(), words.end(), last) != words.end()) paths.push_back(path);
  }
  return paths;
}

// The parameters behind a resource.
std::vector<std::string> parameters_of(chip::Resource resource, const spec::Hardware& hardware) {
  const spec::ChipSpec& chip = hardware.system.chip;
  switch (resource) {
    case chip::Resource::matrix_unit: {
      std::vector<std::string> paths;
      for (const auto& [dtype, rate] : chip.matrix) paths.push_back("chip.matrix." + std::string(work::name_of(dtype)));
      return paths;
    }
    case chip::Resource::vector_unit: return {"chip.vector", "chip.exponentials"};
    case chip::Resource::l2_bandwidth: return chip.first_shared_cache() ? std::vector<std::string>{"chip." + chip.first_shared_cache()->name + ".bandwidth"} : std::vector<std::string>{};
    case chip::Resource::hbm_bandwidth: return {"chip." + chip.device_memory().name + ".bandwidth"};
    case chip::Resource::latency: return {"chip.gemm.k_step", "chip." + chip.device_memory().name + ".latency"};
    case chip::Resource::power: return {"chip.power.cap"};
    case chip::Resource::launch: return paths_ending_in(hardware, "chip.", {"fixed", "fixed_encoder", "attention_fixed", "prologue", "epilogue", "tile_overhead", "split_reduction"});
    case chip::Resource::host: return {"chip.launch.step", "chip.launch.submit", "runtime.step_overhead"};
    case chip::Resource::link_bandwidth: return {"system.fabric.bandwidth"};
    case chip::Resource::link_latency: return paths_ending_in(hardware, "system.fabric", {"latency", "endpoint_latency", "collective_start"});
  }
  return {};
}

}  // namespace

double elasticity(const spec::HardwareDocuments& documents, const std::vector<std::string>& paths, const TimeOf& time_of) {
  const Seconds less = time_with(documents, paths, 1 - kStep, time_of), more = time_with(documents, paths, 1 + kStep, time_of);
  if (less <= Seconds(0) || more <= Seconds(0)) return 0;
  return std::log(more / less) / std::log((1 + kStep) / (1 - kStep));
}

std::vector<Bottleneck> find_bottlenecks(const Evaluation& evaluation, const spec::HardwareDocuments& documents, const spec::Hardware& hardware, const TimeOf& time_of) {
  std::vector<Bottleneck> list;
  for (std::size_t i = 0; i < chip::kResources; ++i) {
    const double share = evaluation.total.makespan > Seconds(0) ? evaluation.total.by_resource[i] / evaluation.total.makespan : 0;
    if (share < kLeastShare) continue;
    const auto resource = static_cast<chip::Resource>(i);
    list.push_back({.resource = std::string(chip::name_of(resource)), .share = share, .elasticity = elasticity(documents, parameters_of(resource, hardware), time_of)});
  }
  std::stable_sort(list.begin(), list.end(), [](const Bottleneck& a, const Bottleneck& b) { return a.share > b.share; });
  return list;
}

std::vector<Assumption> find_assumptions(const spec::HardwareDocuments& documents, const spec::Hardware& hardware, const TimeOf& time_of) {
  std::vector<Assumption> list;
  for (const auto& [path, provenance] : hardware.provenance) {
    if (provenance.kind != spec::SourceKind::assumed && provenance.kind != spec::SourceKind::derived) continue;
    const double e = elasticity(documents, {path}, time_of);
    if (std::abs(e) < kLeastElasticity) continue;
    list.push_back({.parameter = path, .value = provenance.text, .kind = provenance.kind, .source = provenance.source, .elasticity = e});
  }
  std::stable_sort(list.begin(), list.end(), [](const Assumption& a, const Assumption& b) { return std::abs(a.elasticity) > std::abs(b.elasticity); });
  if (list.size() > kMostAssumptions) list.resize(kMostAssumptions);
  return list;
}

}  // namespace mlosim::predict
