// Small measurement tables and protocols for tests.
#pragma once

#include <string>

#include "sim/spec/library.hpp"
#include "tests/support/source_tree.hpp"
#include "validate/suite/measurement.hpp"

namespace mlosim::suite {

// A library of the built-in data with a test's own protocol `bench` (source "bench") before it, and a place for tables.
class TableFolder {
 public:
  explicit TableFolder(const std::string& protocol_fields = "launch: graph\n")
      : library_({folder_.path().string(), MLOSIM_SOURCE_DIR}) {
    std::filesystem::create_directories(folder_.path() / "validate/protocols");
    support::write_text(
        folder_.path() / "validate/protocols/a_bench.yaml",
        "schema: mlosim/protocol/1\nname: bench\ndescription: of tests\nsource: bench\n" + protocol_fields);
  }

  const spec::Library& library() const { return library_; }
  std::string write(const std::string& name, const std::string& text) const {
    support::write_text(folder_.path() / name, text);
    return (folder_.path() / name).string();
  }
  Table read(const std::string& text, const ReadOptions& options = {}) {
    book_ = std::make_unique<ProtocolBook>(library_);
    return read_table(library_, *book_, write("table.csv", text), options);
  }

 private:
  support::TemporaryDirectory folder_;
  spec::Library library_;
  std::unique_ptr<ProtocolBook> book_;  // the rows of a table point into it
};

inline const std::string kGemmHeader = "device,op,dtype,batch,m,n,k,time_us,power_w,flag,software,source\n";

}  // namespace mlosim::suite
