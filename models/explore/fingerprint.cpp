#include "models/explore/fingerprint.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "models/explore/machines.hpp"
#include "models/predict/table_files.hpp"

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

class Reader {
 public:
  explicit Reader(const Blueprint& blueprint) : b_(blueprint) {}

  std::string read() {
    hash_.add(spec::render_yaml(b_.study.document));
    for (const BaseWorkload& w : b_.workloads) {
      hash_.add(spec::render_yaml(w.document));
      add_machine(w.hardware);
      add_models(w);
      for (const MachineOfStudy& machine : read_machines(b_, w)) add_machine(machine.documents);
    }
    for (const std::string_view file : predict::kTableFiles) {
      if (const auto path = b_.library->find_file(file)) hash_.add(spec::render_yaml(spec::read_document(*path)));
    }
    return hash_.text();
  }

 private:
  void add_machine(const spec::HardwareDocuments& machine) {
    for (const spec::Value* document : {&machine.system, &machine.chip, &machine.collectives, &machine.runtime})
      hash_.add(spec::render_yaml(*document));
  }

  // Models that are named: those that stand in the study are in its document.
  void add_models(const BaseWorkload& w) {
    std::vector<const spec::Value*> models = values_at(b_, w, "model");
    if (const spec::Value* base = w.settled.find("model")) models.push_back(base);
    for (const spec::Value* model : models) {
      if (!model->is_scalar()) continue;
      hash_.add(spec::render_yaml(
          spec::read_document(b_.library->require(spec::Shelf::models, model->text, model->place()))));
    }
  }

  const Blueprint& b_;
  Hash hash_;
};

}  // namespace

std::string fingerprint_of(const Blueprint& blueprint) { return Reader(blueprint).read(); }

}  // namespace mlosim::explore
