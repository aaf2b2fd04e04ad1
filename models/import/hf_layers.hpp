// Which layers of a Hugging Face model attend how, and which have experts. Internal to this folder.
#pragma once

#include "models/graph/model.hpp"
#include "models/import/hf_family.hpp"

namespace mlosim::import {

// Sets mla, linear and pattern of `model`, whose other fields are known.
void import_attention(spec::Node& node, const Family& family, graph::ModelSpec& model);

// Sets moe; leaves it empty for a dense model.
void import_experts(spec::Node& node, const Family& family, graph::ModelSpec& model);

}  // namespace mlosim::import
