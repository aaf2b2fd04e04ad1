#include "sim/spec/utf8.hpp"

namespace mlosim::spec {
namespace {

bool is_tail(unsigned byte) { return (byte & 0xC0) == 0x80; }

// Bytes of the character that starts `text`; 0 where it is malformed.
std::size_t length_of_first(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = at(0), next = at(1);
  if (lead < 0x80) {
    const bool is_control = (lead < 0x20 && lead != '\t' && lead != '\n' && lead != '\r') || lead == 0x7F;
    return is_control ? 0 : 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) return is_tail(next) ? 2 : 0;
  const bool tails = is_tail(next) && is_tail(at(2));
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool is_overlong = lead == 0xE0 && next < 0xA0, is_surrogate = lead == 0xED && next >= 0xA0;
    return tails && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool is_overlong = lead == 0xF0 && next < 0x90, is_beyond = lead == 0xF4 && next >= 0x90;
    return tails && is_tail(at(3)) && !is_overlong && !is_beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::optional<std::size_t> first_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = length_of_first(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

}  // namespace mlosim::spec
