// How a table of kernel times was measured, as validate/protocols/<name>.yaml describes it: which software's kernels
// ran, what was warm in the caches, what else was inside the timed region. A row is predicted under its own protocol.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/library.hpp"
#include "sim/spec/runtime_spec.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::suite {

// Where the weights of a timed kernel are when it starts.
enum class Weights {
  rotated,  // up to five copies take turns, so that together they exceed the last cache
  cold,     // as many copies as it takes: nothing of them is in the caches
  warm,     // one copy, left in the cache by the run before
};

// A model's routed experts, by which a table's rows of them are known.
struct ExpertShape {
  std::int64_t hidden = 0, inter = 0;
};

// What one kind of row was measured under. A file's own fields are the defaults of its `software` entries.
struct Protocol {
  std::string name;               // "aiconfigurator: trtllm *"
  std::string source;             // pattern of the row's `source`
  std::string software;           // pattern of its `software`
  std::string op;                 // pattern of its `op`
  std::string kind;               // pattern of its `kind`
  std::string device;             // pattern of its `device`
  std::string dtype;              // pattern of its `dtype`
  bool has_power = false;         // only rows with a measured `power_w`: long loops at the power cap
  std::string runtime;            // whose kernels ran; empty: the vendor's default
  std::string library_version{};  // of the collective library; empty: the one that hw_specs/families says
  std::string kernel{};           // which of them, by its name in the runtime's profile; empty: as the runtime chooses
  bool whole_layer = false;       // latent attention's time holds its up-projections and the copies around them
  spec::LaunchPath launch = spec::LaunchPath::graph;
  Weights weights = Weights::rotated;
  bool quantises_activations = true;  // a low-precision GEMM's time holds the quantisation of its activations
  bool custom_all_reduce = false;     // the framework's own all-reduce ran, not the library's
  bool copies_message = false;        // a copy of the whole message comes before the collective
  bool sustained = false;             // in a loop of seconds, at the power cap
  std::map<std::string, std::string> operators{};    // a row's `op` or `kind` -> the operator that really ran
  std::map<std::string, std::string> formats{};      // a row's `dtype` -> the format that it really ran in
  std::vector<ExpertShape> ungated_experts{};        // that ran without a gate, whatever the row's `gated` says
  Seconds added{};                                   // beside the kernel, inside the timed region: synchronisation
  std::map<std::string, Seconds> added_by_device{};  // where a bench's own is known
  Seconds host{};  // of the submitting host, overlapped with the kernel: the longer one shows
  std::map<std::string, Seconds> host_by_device{};  // where a bench's own is known
  std::map<std::string, std::string> systems{};     // a collective's topology -> the system it stands for
  std::optional<std::string> unusable{};            // why rows of this kind are skipped

  bool keeps_tensors = false;  // the timed kernel moves none of its tensors: they stay inside the kernels around it

  // Times of the bench that `chip` was in.
  Seconds added_on(const std::string& chip) const;
  Seconds host_on(const std::string& chip) const;
};

// What of a row decides its protocol.
struct RowOrigin {
  std::string_view source, software, op, kind, device{}, dtype{};
  bool has_power = false;
};

// True where `text` matches `pattern`, in which '*' stands for any text.
bool matches(std::string_view pattern, std::string_view text);

// The entries of one file, in order. Throws spec::InputError with all mistakes, names that the library does not have
// among them.
std::vector<Protocol> read_protocols(const spec::Library& library, const std::string& path);

// The protocols of all files validate/protocols/*.yaml of the library's roots, in the order in which they are tried: by
// file name, those of any source last. The first that a row matches is its own.
class ProtocolBook {
 public:
  // Throws spec::InputError with all mistakes.
  explicit ProtocolBook(const spec::Library& library);

  // Null where no protocol covers the row.
  const Protocol* find(const RowOrigin& row) const;

  const std::vector<Protocol>& protocols() const { return protocols_; }

 private:
  std::vector<Protocol> protocols_;
};

}  // namespace mlosim::suite
