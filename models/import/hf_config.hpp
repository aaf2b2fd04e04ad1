// Hugging Face config.json, as it is, to a ModelSpec. Reads the shape alone: no weights, no tokenizer, no vision tower.
//
// Keys that say nothing about the shape are passed over; keys that change the network into one that models/graph cannot
// express (state-space layers, shared KV caches, compressed attention …) are refused by name, all of them in one run.
// Of a multimodal model the text model is read, with a warning. Draft layers for multi-token prediction are left out.
#pragma once

#include "models/graph/model.hpp"
#include "sim/spec/document.hpp"
#include "sim/spec/node.hpp"

namespace mlosim::import {

// Whether a document is a Hugging Face config.json rather than a model of ours: it has a `model_type` or
// `architectures` and no `schema`.
bool is_hf_config(const spec::Value& document);

// What is wrong goes to the node's diagnostics. The name is the file's own `_name_or_path`, or its model_type.
graph::ModelSpec import_hf_config(spec::Node node);

}  // namespace mlosim::import
