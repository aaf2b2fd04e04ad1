#include "models/explore/overlay.hpp"

#include <algorithm>

#include "models/predict/overrides.hpp"

namespace mlosim::explore {

void lay_over(spec::Value& document, const std::string& path, const spec::Value& value) {
  spec::Value* overrides = document.find("overrides");
  if (!overrides) {
    spec::Value none;
    none.kind = spec::Value::Kind::mapping;
    none.file = document.file;
    document.members.push_back({"overrides", document.place(), std::move(none)});
    overrides = &document.members.back().value;
  }
  overrides->members.push_back({path, value.place(), value});
}

void leave_out(spec::Value& document, std::string_view key) {
  std::erase_if(document.members, [&](const spec::Member& member) { return member.key == key; });
  if (spec::Value* overrides = document.find("overrides")) {
    const std::string below = std::string(key) + ".";
    std::erase_if(overrides->members,
                  [&](const spec::Member& member) { return member.key == key || member.key.starts_with(below); });
  }
}

spec::Value settle(spec::Value document) {
  const predict::Changes changes = predict::take_overrides(document);
  spec::Value* model = document.find("model");
  for (const spec::Override& change : changes.model) {
    if (model && model->is_mapping()) spec::set_at(*model, change.path, change.value);
  }
  return document;
}

std::string canonical_path(std::string_view path) {
  if (path.starts_with("system.chip.") || path.starts_with("system.collectives.")) path.remove_prefix(7);
  return std::string(path);
}

}  // namespace mlosim::explore
