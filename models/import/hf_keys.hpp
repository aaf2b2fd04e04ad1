// Keys of a Hugging Face config.json that several families spell differently, and the ones that are refused. Internal
// to this folder.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "sim/spec/node.hpp"

namespace mlosim::import {

using Keys = std::initializer_list<std::string_view>;

// The first of `keys` that is there and not null.
std::optional<std::string_view> first_present(const spec::Node& node, Keys keys);
// Its count; `fallback`, or a diagnostic that names the first key, where none is there.
std::int64_t count_of(spec::Node& node, Keys keys, std::int64_t fallback, std::int64_t least = 0);
std::int64_t require_count_of(spec::Node& node, Keys keys);

// Whether `key` is there and says something: not null, false, 0 or empty.
bool is_active(const spec::Node& node, std::string_view key);

// Reports every key that makes the network one that cannot be expressed; true if there is any.
bool refuse_unknown_mechanisms(spec::Node& node);

}  // namespace mlosim::import
