#include "models/predict/overrides.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace mlosim::predict {
namespace {

using spec::Value;

// What a member that is one word means as a mapping: "runtime: vllm" is "runtime: {framework: vllm}". Opened where a
// field beside the word is to be set.
void open_word(Value& document, std::string_view member, const std::string& meaning) {
  Value* word = document.find(member);
  if (!word || !word->is_scalar()) return;
  Value value = *word;
  word->kind = Value::Kind::mapping;
  word->members.push_back({meaning, value.place(), value});
}

bool is_runtime_choice(std::string_view path) {
  return path == "runtime.framework" || path == "runtime.graphs" || path == "runtime.fusion" ||
         path == "runtime.fused_attention";
}

}  // namespace

void sort_change(spec::Override change, Value& document, Changes& changes) {
  constexpr std::string_view kModel = "model.";
  if (spec::is_hardware_path(change.path) && !is_runtime_choice(change.path)) {
    changes.hardware.push_back(std::move(change));
  } else if (change.path.starts_with(kModel)) {
    changes.model.push_back({change.path.substr(kModel.size()), std::move(change.value)});
  } else {
    if (is_runtime_choice(change.path)) open_word(document, "runtime", "framework");
    if (change.path.starts_with("precision.")) open_word(document, "precision", "weights");
    spec::set_at(document, change.path, std::move(change.value));
  }
}

Changes take_overrides(Value& document) {
  Changes changes;
  const Value* found = document.find("overrides");
  if (!found) return changes;
  const Value overrides = *found;
  if (!overrides.is_mapping()) {
    throw spec::InputError({{.place = overrides.place(),
                             .path = "overrides",
                             .message = "expected members ('system.chip.hbm.bandwidth: 9.6 TB/s')",
                             .hint = ""}});
  }
  std::erase_if(document.members, [](const spec::Member& member) { return member.key == "overrides"; });
  for (const spec::Member& member : overrides.members) sort_change({member.key, member.value}, document, changes);
  return changes;
}

}  // namespace mlosim::predict
