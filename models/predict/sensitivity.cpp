#include "models/predict/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "models/predict/machine_number.hpp"
#include "sim/units/format.hpp"
#include "sim/units/parse.hpp"

namespace mlosim::predict {
namespace {

constexpr double kStep = 0.02;
constexpr double kLeastShare = 0.005;  // bottlenecks below it are not listed
constexpr double kLeastElasticity = 0.001;
constexpr double kLeastCount = 16;  // that is changed by a step of its own: one of 4 has no neighbours to speak of
constexpr std::size_t kMostAssumptions = 12;

// "148": units, columns, channels.
bool is_count(const std::string& text) { return text.find_first_not_of("0123456789") == std::string::npos; }

// All parameters whose last word is one of `words`, by the provenance of what was read.
std::vector<std::string> paths_ending_in(const spec::Hardware& hardware, std::string_view root,
                                         const std::vector<std::string_view>& words) {
  std::vector<std::string> paths;
  for (const auto& [path, provenance] : hardware.provenance) {
    const std::string_view last = std::string_view(path).substr(path.rfind('.') + 1);
    if (path.starts_with(root) && std::find(words.begin(), words.end(), last) != words.end()) paths.push_back(path);
  }
  return paths;
}

// All times below a path.
std::vector<std::string> times_below(const spec::Hardware& hardware, std::string_view root) {
  std::vector<std::string> paths;
  for (const auto& [path, provenance] : hardware.provenance) {
    if (!path.starts_with(root)) continue;
    const auto parsed = parse_quantity(provenance.text);
    const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
    if (quantity && quantity->dimension == Dimension{.time = 1}) paths.push_back(path);
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
    case chip::Resource::vector_unit:
      return {"chip.vector", "chip.exponentials"};
    case chip::Resource::l2_bandwidth:
      return chip.first_shared_cache()
                 ? std::vector<std::string>{"chip." + chip.first_shared_cache()->name + ".bandwidth"}
                 : std::vector<std::string>{};
    case chip::Resource::hbm_bandwidth:
      return {"chip." + chip.device_memory().name + ".bandwidth"};
    case chip::Resource::latency: {
      std::vector<std::string> paths = paths_ending_in(hardware, "chip.", {"k_step", "tile_overhead", "tail"});
      paths.push_back("chip." + chip.device_memory().name + ".latency");
      return paths;
    }
    case chip::Resource::power:
      return {"chip.power.cap"};
    case chip::Resource::launch:
      return paths_ending_in(hardware, "chip.",
                             {"fixed", "fixed_encoder", "attention_fixed", "prologue", "epilogue", "split_reduction"});
    case chip::Resource::host:
      return {"chip.launch.step", "chip.launch.submit", "runtime.step_overhead"};
    case chip::Resource::link_bandwidth: {
      std::vector<std::string> paths{"system.fabric.bandwidth", "system.scale_out.bandwidth"};
      for (const auto& [path, provenance] : hardware.provenance) {
        if (path.starts_with("system.fabric.shared_path.")) paths.push_back(path);
      }
      return paths;
    }
    case chip::Resource::link_latency: {
      // Hops of NCCL's protocols scale with the device memory's latency (sim/net).
      std::vector<std::string> paths = times_below(hardware, "system.fabric.");
      for (const char* other : {"system.scale_out.", "collectives."}) {
        const std::vector<std::string> more = times_below(hardware, other);
        paths.insert(paths.end(), more.begin(), more.end());
      }
      if (hardware.system.nccl) paths.push_back("chip." + chip.device_memory().name + ".latency");
      return paths;
    }
    case chip::Resource::pipeline:  // no number of the machine: of the schedule
      return {};
  }
  return {};
}

}  // namespace

std::optional<spec::Hardware> Sensitivity::scaled(Paths paths, const std::function<double(std::size_t)>& factor,
                                                  spec::Decoding& decoding) {
  std::vector<std::pair<spec::Value*, std::string>> before;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    spec::Value* number = find_number(documents_, paths[i]);
    if (!number) continue;
    const auto parsed = parse_quantity(number->text);
    const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
    if (!quantity) continue;
    before.emplace_back(number, number->text);
    number->text = format_exact(quantity->si * factor(i), quantity->dimension);
  }
  std::optional<spec::Hardware> changed;
  if (!before.empty()) spec::decode_again(documents_, paths, changed.emplace(unchanged_), decoding);
  for (auto& [number, text] : before) number->text = std::move(text);
  return changed;
}

std::optional<Seconds> Sensitivity::time_with(Paths paths, const std::function<double(std::size_t)>& factor) {
  spec::Decoding decoding{.keeps_provenance = false};
  std::optional<spec::Hardware> changed = scaled(paths, factor, decoding);
  if (!changed || !decoding.diagnostics.empty()) return std::nullopt;
  return time_of_(std::move(*changed));
}

std::vector<std::string> Sensitivity::with_neighbours(std::vector<std::string> paths) {
  const auto refused = [&](double factor) {
    spec::Decoding decoding{.keeps_provenance = false};
    scaled(
        paths, [&](std::size_t) { return factor; }, decoding);
    std::set<std::string> refused_paths;
    for (const spec::Diagnostic& mistake : decoding.diagnostics.list()) refused_paths.insert(mistake.path);
    return refused_paths;
  };
  const std::set<std::string> above = refused(1 + kStep), below = refused(1 - kStep);
  std::erase_if(paths, [&](const std::string& path) { return above.contains(path) && below.contains(path); });
  return paths;
}

void Sensitivity::sift(Paths paths, bool matter, std::vector<std::string>& found) {
  if (paths.size() < 3) {
    found.insert(found.end(), paths.begin(), paths.end());
    return;
  }
  const double n = static_cast<double>(paths.size());
  const auto factor = [&](std::size_t i) { return 1 + kStep * (1 + static_cast<double>(i) / n); };
  if (!matter && time_with(paths, factor) == base_) return;
  const std::size_t half = paths.size() / 2, found_before = found.size();
  sift(paths.first(half), false, found);
  sift(paths.subspan(half), found.size() == found_before, found);
}

double Sensitivity::elasticity(const std::vector<std::string>& paths) {
  // A share that is scaled past 1, or a count that is no longer whole, has no neighbour on that side.
  const std::optional<Seconds> more = time_with(paths, [](std::size_t) { return 1 + kStep; });
  if (more && std::abs(*more / base_ - 1) < kLeastElasticity * kStep / 4) return 0;
  const std::optional<Seconds> less = time_with(paths, [](std::size_t) { return 1 - kStep; });
  const double span = (more ? std::log(1 + kStep) : 0) - (less ? std::log(1 - kStep) : 0);
  return span > 0 ? std::log(more.value_or(base_) / less.value_or(base_)) / span : 0;
}

std::optional<Trial> Sensitivity::try_factor(const std::string& path, double factor) {
  spec::Value* number = find_number(documents_, path);
  if (!number) return std::nullopt;
  const auto parsed = parse_quantity(number->text);
  const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
  if (!quantity) return std::nullopt;
  const double si = is_count(number->text) ? std::max(1.0, std::round(quantity->si * factor)) : quantity->si * factor;
  const std::string before = number->text, text = format_exact(si, quantity->dimension);
  number->text = text;
  spec::Decoding decoding{.keeps_provenance = false};
  spec::Hardware changed = unchanged_;
  spec::decode_again(documents_, std::span(&path, 1), changed, decoding);
  find_number(documents_, path)->text = before;
  if (!decoding.diagnostics.empty()) return std::nullopt;
  try {
    return Trial{.time = time_of_(std::move(changed)), .value = text};
  } catch (const spec::InputError&) {  // fewer chips than the workload asks for, a format that is gone
    return std::nullopt;
  }
}

double Sensitivity::elasticity_of(const std::string& path) {
  const spec::Value* number = find_number(documents_, path);
  if (!number || !is_count(number->text)) return elasticity({path});
  const double count = std::strtod(number->text.c_str(), nullptr);
  if (count < kLeastCount) return 0;
  const double step = std::max(1.0, std::round(count * kStep));
  const std::optional<Trial> more = try_factor(path, 1 + step / count), less = try_factor(path, 1 - step / count);
  const double span = (more ? std::log1p(step / count) : 0) - (less ? std::log1p(-step / count) : 0);
  return span > 0 ? std::log((more ? more->time : base_) / (less ? less->time : base_)) / span : 0;
}

std::vector<Elasticity> Sensitivity::find_elasticities(double least) {
  std::vector<std::string> paths, found;
  for (const auto& [path, provenance] : hardware_.provenance) {
    const spec::Value* number = find_number(documents_, path);
    if (!number) continue;
    (is_count(number->text) ? found : paths).push_back(path);
  }
  sift(with_neighbours(std::move(paths)), true, found);
  std::vector<Elasticity> list;
  for (const std::string& path : found) {
    const double e = elasticity_of(path);
    if (std::abs(e) >= least) list.push_back({path, e});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Elasticity& a, const Elasticity& b) { return std::abs(a.value) > std::abs(b.value); });
  return list;
}

std::vector<Bottleneck> Sensitivity::find_bottlenecks(const report::StepReport& report) {
  std::vector<Bottleneck> list;
  for (std::size_t i = 0; i < chip::kResources; ++i) {
    const double share = report.makespan > Seconds(0) ? report.by_resource[i] / report.makespan : 0;
    if (share < kLeastShare) continue;
    const auto resource = static_cast<chip::Resource>(i);
    list.push_back({.resource = std::string(chip::name_of(resource)),
                    .share = share,
                    .elasticity = elasticity(parameters_of(resource, hardware_))});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Bottleneck& a, const Bottleneck& b) { return a.share > b.share; });
  return list;
}

std::vector<Assumption> Sensitivity::find_assumptions() {
  std::vector<std::string> paths, found;
  for (const auto& [path, provenance] : hardware_.provenance) {
    if (provenance.kind == spec::SourceKind::assumed || provenance.kind == spec::SourceKind::derived)
      paths.push_back(path);
  }
  sift(with_neighbours(std::move(paths)), true, found);
  std::vector<Assumption> list;
  for (const std::string& path : found) {
    const double e = elasticity({path});
    if (std::abs(e) < kLeastElasticity) continue;
    const spec::Provenance& provenance = hardware_.provenance.at(path);
    list.push_back({.parameter = path,
                    .value = provenance.text,
                    .kind = provenance.kind,
                    .source = provenance.source,
                    .elasticity = e});
  }
  std::stable_sort(list.begin(), list.end(), [](const Assumption& a, const Assumption& b) {
    return std::abs(a.elasticity) > std::abs(b.elasticity);
  });
  if (list.size() > kMostAssumptions) list.resize(kMostAssumptions);
  return list;
}

}  // namespace mlosim::predict
