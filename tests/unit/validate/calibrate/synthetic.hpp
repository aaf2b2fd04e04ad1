// Tables of "measured" times that the cost model itself priced, with known parameters: what a calibration has to find.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "sim/spec/hardware.hpp"
#include "sim/spec/library.hpp"
#include "tests/support/source_tree.hpp"
#include "validate/calibrate/rows.hpp"
#include "validate/compare/predict_row.hpp"

namespace mlosim::calibrate {

struct Known {
  std::string path, value;  // "chip.gemm.fixed", "2.5 us"
};

class Synthetic {
 public:
  const spec::Library& library() const { return library_; }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // Shapes that launches, the memory, the tensor cores and split-K bound.
  static std::vector<std::string> shapes() {
    std::vector<std::string> shapes;
    for (const int m : {1, 8, 48, 160, 512, 1536, 4096, 8192}) {
      for (const int n : {256, 1024, 3072, 8192}) {
        for (const int k : {512, 2048, 7168})
          shapes.push_back(std::to_string(m) + "," + std::to_string(n) + "," + std::to_string(k));
      }
    }
    return shapes;
  }

  // One small tile each: nothing but start and end.
  static std::vector<std::string> tiny_shapes() {
    std::vector<std::string> shapes;
    for (int m = 1; m <= 8; ++m) {
      for (const int n : {32, 48, 64, 96, 128}) shapes.push_back(std::to_string(m) + "," + std::to_string(n) + ",64");
    }
    return shapes;
  }

  // Writes a table of GEMMs of some shapes on `chip` as it would run with `truth`, off by up to `noise` up and down.
  std::string write(const std::string& name, const std::string& chip, const std::vector<Known>& truth, double noise = 0,
                    const std::vector<std::string>& of = shapes(), int seed = 1) const {
    const std::string header = "device,op,dtype,batch,m,n,k,time_us,power_w,flag,software,source\n";
    const auto row = [&](const std::string& shape, double us) {
      return chip + ",gemm,bfloat16,1," + shape + "," + std::to_string(us) + ",,,bench 1,mlosim/test\n";
    };
    std::string text = header;
    for (const std::string& shape : of) text += row(shape, 1);
    support::write_text(folder_.path() / name, text);
    const Measurements measurements(library_, {path(name)});
    const RowSet set = measurements.choose({});
    spec::HardwareDocuments documents = set.machines.front().documents;
    for (const Known& known : truth)
      spec::apply_override(documents, {known.path, spec::make_scalar(known.value, "truth")});
    spec::Decoding decoding;
    const spec::Hardware hardware = spec::decode_hardware(documents, decoding);
    decoding.diagnostics.throw_if_any();
    text = header;
    for (std::size_t i = 0; i < set.rows.size(); ++i) {
      // Golden-ratio steps: spread evenly and always the same.
      const double error = noise * (2 * std::fmod(0.618033988749895 * static_cast<double>(i + 1) * seed, 1.0) - 1);
      const Seconds time = compare::predict_row(*set.rows[i].measurement, hardware).time;
      text += row(of[i], time.si() * 1e6 * std::exp(error));
    }
    support::write_text(folder_.path() / name, text);
    return path(name);
  }

 private:
  support::TemporaryDirectory folder_;
  spec::Library library_{{MLOSIM_SOURCE_DIR}};
};

}  // namespace mlosim::calibrate
