#include "sim/spec/kernel_choice.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace mlosim::spec {
namespace {

constexpr std::array<std::pair<std::string_view, CallSize>, kCallSizes> kSizes{{{"batch", CallSize::batch},
                                                                                {"queries", CallSize::queries},
                                                                                {"keys", CallSize::keys},
                                                                                {"hidden", CallSize::hidden},
                                                                                {"heads", CallSize::heads},
                                                                                {"group", CallSize::group},
                                                                                {"head_dim", CallSize::head_dim},
                                                                                {"blocks", CallSize::blocks},
                                                                                {"tokens", CallSize::tokens},
                                                                                {"experts", CallSize::experts},
                                                                                {"reach", CallSize::reach}}};

// "128" or "{from: 33, to: 64}".
KernelCondition::SizeRange decode_range(Node node) {
  if (!node.is_mapping()) {
    const std::int64_t size = node.as_count();
    return {.from = size, .to = size};
  }
  const KernelCondition::SizeRange range{.from = node.count_or("from", 0, 0),
                                         .to = node.count_or("to", std::numeric_limits<std::int64_t>::max())};
  if (range.from > range.to) node.fail("'from' is more than 'to'");
  node.finish();
  return range;
}

std::vector<KernelCondition::SizeRange> decode_ranges(Node node) {
  if (!node.is_sequence()) return {decode_range(node)};
  std::vector<KernelCondition::SizeRange> ranges;
  for (const Node& item : node.items()) ranges.push_back(decode_range(item));
  return ranges;
}

std::vector<work::DType> decode_formats(Node node) {
  std::vector<work::DType> formats;
  if (!node.is_present()) return formats;
  for (const Node& item : node.items()) {
    const std::string text = item.as_text();
    const auto* const found = std::find_if(work::kDTypeNames.begin(), work::kDTypeNames.end(),
                                           [&](const auto& entry) { return entry.first == text; });
    if (found == work::kDTypeNames.end()) {
      item.fail("'" + text + "' is no number format");
    } else {
      formats.push_back(found->second);
    }
  }
  return formats;
}

bool lists(const std::vector<work::DType>& formats, const std::optional<work::DType>& format) {
  return formats.empty() || (format && std::find(formats.begin(), formats.end(), *format) != formats.end());
}

}  // namespace

bool KernelCondition::holds(const KernelCall& call) const {
  const auto in_one = [&](const SizeIn& condition) {
    const std::int64_t size = call[condition.size];
    return std::any_of(condition.ranges.begin(), condition.ranges.end(),
                       [size](const SizeRange& range) { return size >= range.from && size <= range.to; });
  };
  return std::all_of(sizes.begin(), sizes.end(), in_one) && lists(dtype, call.dtype) &&
         lists(kv_dtype, call.kv_dtype) && lists(weights, call.weights) &&
         window.value_or(call.window) == call.window && causal.value_or(call.causal) == call.causal;
}

KernelCondition decode_condition(Node node) {
  KernelCondition condition;
  for (const auto& [key, size] : kSizes) {
    if (node.has(key)) condition.sizes.push_back({.size = size, .ranges = decode_ranges(node.child(key))});
  }
  condition.dtype = decode_formats(node.child("dtype"));
  condition.kv_dtype = decode_formats(node.child("kv_dtype"));
  condition.weights = decode_formats(node.child("weights"));
  if (node.has("window")) condition.window = node.flag_or("window", false);
  if (node.has("causal")) condition.causal = node.flag_or("causal", true);
  node.finish();
  return condition;
}

}  // namespace mlosim::spec
