// Laying values over a workload's document, as `overrides:` does.
#pragma once

#include <string>

#include "sim/spec/document.hpp"

namespace mlosim::explore {

// Appends to the document's overrides; later ones win.
void lay_over(spec::Value& document, const std::string& path, const spec::Value& value);

// The document without its member `key`.
void leave_out(spec::Value& document, std::string_view key);

// A workload's document with its overrides laid over it and over its model, where that is not a name alone; those of
// the machine are dropped.
spec::Value settle(spec::Value document);

// "chip.x" for "system.chip.x", which is the same place.
std::string canonical_path(std::string_view path);

}  // namespace mlosim::explore
