#include "models/explore/workload_key.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/explore/training_layout.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/node.hpp"
#include "sim/units/check.hpp"

namespace mlosim::explore {
namespace {

using predict::Task;

enum class Kind { count, flag, word, layout, any };
enum class Of { all, training, inference };

struct Key {
  std::string_view path;
  Kind kind;
  Of of;
};

constexpr std::array kKeys{
    Key{"system", Kind::word, Of::all},
    Key{"model", Kind::any, Of::all},
    Key{"chips", Kind::count, Of::all},
    Key{"precision", Kind::any, Of::all},
    Key{"precision.weights", Kind::word, Of::all},
    Key{"precision.activations", Kind::word, Of::all},
    Key{"precision.kv_cache", Kind::word, Of::all},
    Key{"precision.gradients", Kind::word, Of::training},
    Key{"precision.optimizer", Kind::word, Of::training},
    Key{"parallelism", Kind::any, Of::all},
    Key{"parallelism.tp", Kind::count, Of::all},
    Key{"parallelism.pp", Kind::count, Of::all},
    Key{"parallelism.dp", Kind::count, Of::all},
    Key{"parallelism.cp", Kind::count, Of::all},
    Key{"parallelism.ep", Kind::count, Of::all},
    Key{"parallelism.moe_tp", Kind::count, Of::all},
    Key{"parallelism.attention_dp", Kind::count, Of::inference},
    Key{"parallelism.sp", Kind::flag, Of::all},
    Key{"parallelism.zero", Kind::layout, Of::training},
    Key{"parallelism.hsdp_shard", Kind::layout, Of::training},
    Key{"parallelism.schedule", Kind::layout, Of::training},
    Key{"parallelism.zero_bubble", Kind::layout, Of::training},
    Key{"parallelism.virtual_stages", Kind::layout, Of::training},
    Key{"inference", Kind::any, Of::inference},
    Key{"inference.batch", Kind::count, Of::inference},
    Key{"inference.prompt", Kind::count, Of::inference},
    Key{"inference.output", Kind::count, Of::inference},
    Key{"inference.count", Kind::word, Of::inference},
    Key{"train", Kind::any, Of::training},
    Key{"train.global_batch", Kind::layout, Of::training},
    Key{"train.micro_batch", Kind::layout, Of::training},
    Key{"train.sequence", Kind::layout, Of::training},
    Key{"train.recompute", Kind::layout, Of::training},
    Key{"train.optimizer", Kind::word, Of::training},
    Key{"train.overlap.grad_reduce", Kind::layout, Of::training},
    Key{"train.overlap.param_gather", Kind::layout, Of::training},
    Key{"train.overlap.tp", Kind::layout, Of::training},
    Key{"economics", Kind::any, Of::all},
    Key{"economics.basis", Kind::any, Of::all},
    Key{"economics.price", Kind::any, Of::all},
    Key{"economics.capital", Kind::any, Of::all},
    Key{"economics.surcharge", Kind::any, Of::all},
    Key{"economics.lifetime", Kind::any, Of::all},
    Key{"economics.utilisation", Kind::any, Of::all},
    Key{"economics.electricity", Kind::any, Of::all},
    Key{"economics.pue", Kind::any, Of::all},
    Key{"economics.carbon_g_per_kwh", Kind::any, Of::all},
    Key{"runtime", Kind::any, Of::all},
    Key{"runtime.framework", Kind::word, Of::all},
    Key{"runtime.graphs", Kind::flag, Of::all},
    Key{"runtime.fusion", Kind::word, Of::all},
    Key{"runtime.fused_attention", Kind::flag, Of::all},
};

const Key* find_key(std::string_view path) {
  const auto found = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return key.path == path; });
  return found == kKeys.end() ? nullptr : &*found;
}

bool is_below(std::string_view path, std::string_view head) {
  return path == head || (path.starts_with(head) && path.substr(head.size()).starts_with('.'));
}

}  // namespace

bool belongs_to_task(std::string_view path, Task task) {
  if (is_below(path, "ops")) return task == Task::ops;
  if (path.starts_with("model.")) return task != Task::ops;
  const Key* key = find_key(path);
  const bool trains = is_below(path, "train") || is_below(path, "reality") || (key && key->of == Of::training);
  const bool infers = is_below(path, "inference") || (key && key->of == Of::inference);
  if (trains) return task == Task::train;
  if (infers) return task != Task::train && task != Task::ops;
  return true;
}

bool is_workload_path(std::string_view path) {
  if (find_key(path)) return true;
  return !spec::is_hardware_path(path) && !path.starts_with("model.") && !is_below(path, "ops") &&
         !is_below(path, "reality");
}

bool is_known_workload_path(std::string_view path) { return find_key(path) != nullptr; }

bool is_count_path(std::string_view path) {
  const Key* key = find_key(path);
  if (!key || key->kind != Kind::layout) return key && key->kind == Kind::count;
  switch (*layout_key_at(path)) {
    case LayoutKey::zero:
    case LayoutKey::hsdp_shard:
    case LayoutKey::virtual_stages:
    case LayoutKey::micro_batch:
    case LayoutKey::global_batch:
    case LayoutKey::sequence:
      return true;
    default:
      return false;
  }
}

bool takes_words(std::string_view path) {
  const Key* key = find_key(path);
  return key && path != "system" && path != "model" && (key->kind == Kind::word || key->kind == Kind::any);
}

std::vector<std::string> workload_paths() {
  std::vector<std::string> paths;
  for (const Key& key : kKeys) paths.emplace_back(key.path);
  return paths;
}

std::optional<spec::Diagnostic> check_workload_value(std::string_view path, const spec::Value& value) {
  const auto wrong = [&](std::string message, std::string hint) {
    return spec::Diagnostic{
        .place = value.place(), .path = std::string(path), .message = std::move(message), .hint = std::move(hint)};
  };
  const Key* key = find_key(path);
  MLOSIM_CHECK(key);
  switch (key->kind) {
    case Kind::count: {
      spec::Decoding decoding;
      spec::Node(&value, std::string(path), &decoding).as_count();
      return decoding.diagnostics.empty() ? std::nullopt : std::optional(decoding.diagnostics.list().front());
    }
    case Kind::flag:
      if (!value.is_scalar() || (value.text != "true" && value.text != "false"))
        return wrong("expected true or false", "");
      return std::nullopt;
    case Kind::word:
      if (!value.is_scalar()) return wrong("expected a word", "");
      return std::nullopt;
    case Kind::layout:
      try {
        decode_layout_value(*layout_key_at(path), value);
      } catch (const spec::InputError& error) {
        return error.diagnostics().front();
      }
      return std::nullopt;
    case Kind::any:
      return std::nullopt;
  }
  return std::nullopt;
}

bool changes_setting(std::string_view path) {
  for (const std::string_view head : {"parallelism", "inference", "train", "chips", "reality", "ops", "economics"}) {
    if (is_below(path, head)) return false;
  }
  return true;
}

}  // namespace mlosim::explore
