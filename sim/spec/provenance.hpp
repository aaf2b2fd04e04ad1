// Where a number comes from. Every number of hw_specs/ carries it; a prediction lists those it leans on that nobody
// measured or published.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mlosim::spec {

enum class SourceKind {
  datasheet,  // vendor's datasheet or documentation
  measured,   // by the named source
  fitted,     // to measurements, by the named fit
  derived,    // by arithmetic from other numbers; the source says how
  assumed,    // a guess; the source says why
  given,      // by the user, in a workload or on the command line
};

std::string_view name_of(SourceKind kind);

struct Provenance {
  SourceKind kind = SourceKind::given;
  std::string source;
  std::string text;  // the value as it was written
};

// By the parameter's path ("chip.l2.bandwidth"); ordered, so that reports are reproducible.
using ProvenanceTable = std::map<std::string, Provenance>;

}  // namespace mlosim::spec
