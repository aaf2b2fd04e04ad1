#include "models/explore/run_as_said.hpp"

#include <fmt/format.h>

#include <map>
#include <string>

#include "sim/units/parse.hpp"

namespace mlosim::explore {
namespace {

// As the settings leave them; later ones win.
std::map<std::string, const spec::Value*> degrees_in(std::span<const spec::Override> settings) {
  std::map<std::string, const spec::Value*> degrees;
  for (const spec::Override& setting : settings) {
    if (setting.path.starts_with("parallelism.")) degrees[setting.path] = &setting.value;
    if (setting.path != "parallelism") continue;
    degrees.clear();
    for (const spec::Member& member : setting.value.members) degrees["parallelism." + member.key] = &member.value;
  }
  return degrees;
}

void require_degrees(std::span<const spec::Override> settings, const predict::Workload& run) {
  const std::map<std::string, const spec::Value*> degrees = degrees_in(settings);
  const auto require = [&](const std::string& path, std::int64_t degree) {
    const auto asked = degrees.find(path);
    if (asked == degrees.end() || !asked->second->is_scalar()) return;
    const auto parsed = parse_quantity(asked->second->text);
    const auto* number = std::get_if<ParsedQuantity>(&parsed);
    if (!number || number->si == static_cast<double>(degree)) return;
    throw spec::InputError({{asked->second->place(), path,
                             fmt::format("{} does not go with {} chips, which make it {}", asked->second->text,
                                         run.chips.value_or(1), degree),
                             ""}});
  };
  if (run.training) {
    require("parallelism.dp", run.training->parallelism.dp);
    return;
  }
  require("parallelism.tp", run.parallelism.tp);
  require("parallelism.dp", run.parallelism.dp);
  require("parallelism.moe_tp", run.parallelism.moe_tp);
}

}  // namespace

void require_run_as_said(const BaseWorkload& base, std::span<const spec::Override> settings,
                         const predict::Workload& run) {
  if (!base.refused_stacks.empty()) {
    const auto refused = base.refused_stacks.find({run.system, run.runtime.profile});
    if (refused != base.refused_stacks.end()) throw spec::InputError(refused->second);
  }
  require_degrees(settings, run);
}

}  // namespace mlosim::explore
