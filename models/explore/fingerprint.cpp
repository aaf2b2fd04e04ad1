#include "models/explore/fingerprint.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace mlosim::explore {
namespace {

// FNV-1a of 64 bits: https://www.rfc-editor.org/rfc/rfc9923 (draft-eastlake-fnv). It tells files apart; it keeps no
// secrets.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      state_ ^= static_cast<unsigned char>(c);
      state_ *= 0x100000001b3ULL;
    }
    state_ ^= 0xff;  // ends one text and begins the next
    state_ *= 0x100000001b3ULL;
  }
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

}  // namespace

std::string fingerprint_of(const Blueprint& b) {
  Hash hash;
  hash.add(spec::render_yaml(b.study.document));
  for (const BaseWorkload& w : b.workloads) {
    hash.add(spec::render_yaml(w.document));
    for (const spec::Value* document :
         {&w.hardware.system, &w.hardware.chip, &w.hardware.collectives, &w.hardware.runtime})
      hash.add(spec::render_yaml(*document));
  }
  for (const Axis& axis : b.study.axes) {
    if (axis.paths != std::vector<std::string>{"system"}) continue;
    for (const Choice& choice : axis.choices) {
      std::vector<std::string> said;
      const spec::HardwareDocuments machine = spec::read_hardware(*b.library, choice.values.front().text, {}, said);
      hash.add(spec::render_yaml(machine.system));
      hash.add(spec::render_yaml(machine.chip));
    }
  }
  return hash.text();
}

}  // namespace mlosim::explore
