#include "models/explore/axis_paths.hpp"

#include <charconv>

#include "models/explore/overlay.hpp"
#include "models/explore/workload_key.hpp"

namespace mlosim::explore {
namespace {

using spec::Value;

void flatten(const Value& value, const std::string& path, std::vector<std::string>& paths) {
  if (value.is_scalar() || (value.is_mapping() && value.find("value"))) {
    paths.push_back(path);
    return;
  }
  for (const spec::Member& member : value.members) {
    if (member.key == "schema" || member.key == "source" || member.key == "kind" || member.key == "name") continue;
    flatten(member.value, path + "." + member.key, paths);
  }
}

const Value* find_below(const Value& root, std::string_view path) {
  const Value* at = &root;
  while (at && !path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    if (at->kind == Value::Kind::sequence) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      const bool is_index = error == std::errc() && end == key.data() + key.size() && index < at->items.size();
      at = is_index ? &at->items[index] : nullptr;
    } else {
      at = at->find(key);
    }
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at;
}

const Value* find_in_machine(const spec::HardwareDocuments& machine, const std::string& path) {
  const std::string canonical = canonical_path(path);
  const auto below = [&](std::string_view head, const Value& document) -> const Value* {
    return canonical.starts_with(head) ? find_below(document, std::string_view(canonical).substr(head.size()))
                                       : nullptr;
  };
  if (const Value* found = below("chip.", machine.chip)) return found;
  if (const Value* found = below("collectives.", machine.collectives)) return found;
  if (const Value* found = below("runtime.", machine.runtime)) return found;
  return below("system.", machine.system);
}

}  // namespace

std::vector<std::string> known_paths(const BaseWorkload& workload) {
  std::vector<std::string> paths;
  for (const std::string& path : workload_paths()) {
    if (belongs_to_task(path, workload.decoded.task)) paths.push_back(path);
  }
  flatten(workload.hardware.chip, "system.chip", paths);
  flatten(workload.hardware.chip, "chip", paths);
  flatten(workload.hardware.collectives, "collectives", paths);
  flatten(workload.hardware.runtime, "runtime", paths);
  Value system = workload.hardware.system;
  leave_out(system, "chip");
  leave_out(system, "collectives");
  flatten(system, "system", paths);
  if (const Value* model = workload.document.find("model")) flatten(*model, "model", paths);
  return paths;
}

std::optional<std::string> leaf_above(const BaseWorkload& workload, const std::string& path) {
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
    const std::string above = path.substr(0, dot);
    if (above == "system.chip" || above == "system.collectives") continue;  // files of their own
    const Value* value = find_in_machine(workload.hardware, above);
    if (value && (value->is_scalar() || (value->is_mapping() && value->find("value")))) return above;
  }
  return std::nullopt;
}

std::optional<ParsedQuantity> number_at(const BaseWorkload& workload, const std::string& path) {
  const Value* value =
      spec::is_hardware_path(path) ? find_in_machine(workload.hardware, path) : find_below(workload.settled, path);
  if (value && value->is_mapping()) value = value->find("value");
  if (!value || !value->is_scalar()) return std::nullopt;
  const auto parsed = parse_quantity(value->text);
  const auto* quantity = std::get_if<ParsedQuantity>(&parsed);
  return quantity ? std::optional(*quantity) : std::nullopt;
}

}  // namespace mlosim::explore
