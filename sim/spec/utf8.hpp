// Where a file stops being text. yaml-cpp passes malformed UTF-8 on, and takes control characters for the end of its
// input.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mlosim::spec {

// The offset of the first byte that is no part of UTF-8 text (RFC 3629: no overlong forms, no surrogates), or is a
// control character other than tab, line feed and carriage return; empty where all is text.
std::optional<std::size_t> first_bad_byte(std::string_view text);

}  // namespace mlosim::spec
