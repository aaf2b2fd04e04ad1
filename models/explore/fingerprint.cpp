#include "models/explore/fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "models/predict/setting.hpp"
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

// Text values of the axes that set `path`, alone or with others, and that the workload takes; null values are left out.
std::vector<const spec::Value*> values_at(const Blueprint& b, const BaseWorkload& w, std::string_view path) {
  std::vector<const spec::Value*> values;
  for (std::size_t a = 0; a < b.study.axes.size(); ++a) {
    const Axis& axis = b.study.axes[a];
    for (std::size_t c = 0; w.takes_axis[a] && c < axis.paths.size(); ++c) {
      if (axis.paths[c] != path) continue;
      for (const Choice& choice : axis.choices) values.push_back(&choice.values[c]);
    }
  }
  return values;
}

class Reader {
 public:
  Reader(const Blueprint& blueprint, std::vector<std::string>& warnings) : b_(blueprint), warnings_(warnings) {}

  std::string read() {
    hash_.add(spec::render_yaml(b_.study.document));
    for (const BaseWorkload& w : b_.workloads) {
      hash_.add(spec::render_yaml(w.document));
      add_machine(w.hardware);
      add_models(w);
      add_machines(w);
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

  // Every machine of the axes with every stack of theirs.
  void add_machines(const BaseWorkload& w) {
    std::vector<std::string> systems{w.decoded.system}, stacks{w.decoded.runtime.profile};
    for (const spec::Value* system : values_at(b_, w, "system")) systems.push_back(system->text);
    for (const std::string_view path : {"runtime", "runtime.framework"}) {
      for (const spec::Value* stack : values_at(b_, w, path)) {
        const spec::Value* name = stack->is_mapping() ? stack->find("framework") : stack;
        if (name && name->is_scalar()) stacks.push_back(name->text);
      }
    }
    if (systems.size() == 1 && stacks.size() == 1) return;  // the workload's own
    predict::Workload workload = w.decoded;
    for (const std::string& system : systems) {
      for (const std::string& stack : stacks) {
        workload.system = system;
        workload.runtime.profile = stack;
        std::vector<std::string> said;
        add_machine(predict::read_machine(*b_.library, workload, said));
        for (const std::string& warning : said) warn(fmt::format("{} on {}: {}", w.name, system, warning));
      }
    }
  }

  void warn(const std::string& warning) {
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end()) warnings_.push_back(warning);
  }

  const Blueprint& b_;
  std::vector<std::string>& warnings_;
  Hash hash_;
};

}  // namespace

std::string fingerprint_of(const Blueprint& blueprint, std::vector<std::string>& warnings) {
  return Reader(blueprint, warnings).read();
}

}  // namespace mlosim::explore
