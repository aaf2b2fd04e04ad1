// Whether the names in a protocol mean something: of chips, runtimes and their kernels, systems, operators, formats. A
// name that means nothing would silently stand for the default. Internal to validate/suite.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/spec/library.hpp"
#include "sim/spec/node.hpp"

namespace mlosim::suite {

struct Protocol;

// Mistakes are reported at the node that the name stands in.
class ProtocolNames {
 public:
  explicit ProtocolNames(const spec::Library& library) : library_(library) {}

  // All names of a file, or of an entry of it, that stand in `node`; `protocol` is what was decoded from it.
  void check(spec::Node node, const Protocol& protocol);

 private:
  void check_name(const spec::Node& at, spec::Shelf shelf, std::string_view name) const;
  void check_chips(spec::Node by_device) const;
  void check_device_pattern(const spec::Node& node, std::string_view pattern) const;
  void check_kernel(const spec::Node& node, const Protocol& protocol);
  // Of the runtime and of the families of chips; of any runtime where none is named.
  const std::vector<std::string>& kernels_of(const std::string& runtime);

  const spec::Library& library_;
  std::map<std::string, std::vector<std::string>> kernels_{};  // by runtime
};

}  // namespace mlosim::suite
