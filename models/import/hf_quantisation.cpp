#include "models/import/hf_quantisation.hpp"

#include <optional>

#include "models/import/hf_keys.hpp"

namespace mlosim::import {
namespace {

using work::DType;

std::optional<DType> format_of(std::int64_t bits, bool is_integer, const std::string& layout) {
  if (bits == 8) return is_integer ? DType::int8 : DType::fp8;
  if (bits != 4) return std::nullopt;
  if (is_integer) return DType::int4;
  return layout.find("mxfp4") != std::string::npos ? DType::mxfp4 : DType::nvfp4;
}

std::optional<DType> import_groups(spec::Node& config) {
  spec::Node group = config.child("config_groups").child("group_0");
  spec::Node weights = group.child("weights");
  if (!weights.is_mapping()) return std::nullopt;
  const std::string layout = config.text_or("format", "") + group.text_or("format", "");
  return format_of(weights.count_or("num_bits", 0, 0), weights.text_or("type", "int") == "int", layout);
}

std::optional<DType> import_format(spec::Node& config) {
  const std::string method = config.text_or("quant_method", "");
  if (method == "mxfp4") return DType::mxfp4;
  if (method == "fp8") return DType::fp8;
  if (method == "awq" || method == "gptq") return format_of(config.count_or("bits", 4, 0), true, "");
  const std::string algorithm = config.text_or("quant_algo", "");
  if (algorithm == "FP8") return DType::fp8;
  if (algorithm == "NVFP4") return DType::nvfp4;
  return import_groups(config);
}

// Attention as a whole is on the list of what is not converted.
bool spares_attention(spec::Node& config) {
  const auto key = first_present(config, {"modules_to_not_convert", "ignore"});
  if (!key) return false;
  for (const spec::Node& item : config.child(*key).items()) {
    const std::string text = item.is_scalar() ? item.as_text() : "";
    if (text.find("*self_attn") != std::string::npos || text.find("*.self_attn") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

void import_quantisation(spec::Node config, graph::ModelSpec& model) {
  if (!config.is_mapping()) return;
  model.weights_dtype = import_format(config);
  if (!model.weights_dtype) {
    config.warn("this quantisation is not known; the formats of the workload's 'precision' are taken");
    return;
  }
  model.quantises_experts_only = model.moe && spares_attention(config);
}

}  // namespace mlosim::import
