#include "models/graph/recompute.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace mlosim::graph {
namespace {

struct Synonym {
  std::string_view written, name;
};

constexpr std::array kNames{Synonym{"decoder_layer_input", "decoder_layer_input"},
                            Synonym{"query_proj", "query_proj"},
                            Synonym{"q", "query_proj"},
                            Synonym{"key_proj", "key_proj"},
                            Synonym{"k", "key_proj"},
                            Synonym{"value_proj", "value_proj"},
                            Synonym{"v", "value_proj"},
                            Synonym{"context", "context"},
                            Synonym{"out_proj", "out_proj"},
                            Synonym{"mlpwi", "mlpwi"},
                            Synonym{"mlpwi_0", "mlpwi"},
                            Synonym{"mlpwi_1", "mlpwi"},
                            Synonym{"mlpwo", "mlpwo"}};
constexpr std::array<std::string_view, 2> kProjections{"qkv_proj", "qkv"};  // of all three

// What may stand behind a name, and whether the tensor is kept.
constexpr std::array<std::pair<std::string_view, bool>, 4> kRemarks{
    {{" kept", true}, {" on device", true}, {" to host", true}, {" remat", false}}};

bool take_remark(std::string& text) {
  for (const auto& [remark, keeps] : kRemarks) {
    if (text.size() <= remark.size() || !text.ends_with(remark)) continue;
    text.resize(text.size() - remark.size());
    return keeps;
  }
  return true;
}

void add_name(std::string text, const spec::Node& item, std::vector<std::string>& keep) {
  const bool keeps = take_remark(text);
  const auto add = [&](std::string_view name) {
    if (keeps && std::find(keep.begin(), keep.end(), name) == keep.end()) keep.emplace_back(name);
  };
  if (std::find(kProjections.begin(), kProjections.end(), text) != kProjections.end()) {
    for (const std::string_view name : {"query_proj", "key_proj", "value_proj"}) add(name);
    return;
  }
  const auto* known = std::find_if(kNames.begin(), kNames.end(), [&](const Synonym& s) { return s.written == text; });
  if (known == kNames.end()) {
    item.fail(
        "'" + text + "' is no tensor of a layer",
        "one of decoder_layer_input, query_proj, key_proj, value_proj, qkv_proj, context, out_proj, mlpwi, mlpwo");
    return;
  }
  add(known->name);
}

}  // namespace

Recompute decode_recompute(spec::Node node) {
  using Policy = Recompute::Policy;
  Recompute recompute;
  if (!node.is_present()) return recompute;
  if (node.is_scalar()) {
    recompute.policy =
        node.as_word<Policy>({{"none", Policy::none}, {"selective", Policy::selective}, {"full", Policy::full}});
    return recompute;
  }
  if (node.has("full_layers")) {
    recompute.policy = Policy::full;
    recompute.full_layers = node.require_count("full_layers");
  } else {
    recompute.policy = Policy::keep;
    spec::Node list = node.child("keep");
    if (!list.is_sequence()) node.fail("expected full_layers, or keep with a list of tensors");
    for (const spec::Node& item : list.items()) add_name(item.as_text(), item, recompute.keep);
  }
  recompute.offload = node.flag_or("offload", false);
  node.finish();
  return recompute;
}

}  // namespace mlosim::graph
