// Parameters for a chip that nobody measured, from those of measured ones: fits every chip of the suites by itself, and
// gives each one the numbers of the others, scaled by what chips have in common. Its score on the chip's own rows, none
// of which were looked at, is what to expect on the next chip. Used by `mlosim calibrate --leave-out`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/spec/chip_spec.hpp"
#include "sim/spec/library.hpp"
#include "validate/calibrate/calibrate.hpp"

namespace mlosim::calibrate {

struct TransferredParameter {
  std::string path;
  std::string text;
  std::vector<std::string> donors;  // empty: none knows it, the typical value
};

// One chip left out.
struct LeftOut {
  std::string chip;
  std::vector<TransferredParameter> parameters;
  // Its own fitted numbers that its rows lean on all the same (kept.hpp): no free parameter stands for them.
  std::vector<std::string> kept;
  compare::Score transferred;  // its three constants are fitted on the other chips' rows
  compare::Score fitted;       // the chip's own fit on the half of the shapes that it did not see; no rows without one
};

struct Transfer {
  std::vector<LeftOut> chips;  // in the order of their names
};

// `options.rows.chips` is not read: all chips with at least `fewest_rows` rows take part. `left_out` are those that are
// predicted; empty: each in turn. Nothing of a left-out chip but its datasheet, what was measured of it and the fitted
// numbers that are named as kept enters its prediction. Throws spec::InputError where a chip has no such rows, or no
// other chip has.
Transfer leave_out(const spec::Library& library, const Measurements& measurements, const Options& options,
                   std::vector<std::string> left_out, std::size_t fewest_rows);

std::string render_text(const Transfer& transfer);
std::string render_json(const Transfer& transfer);

}  // namespace mlosim::calibrate
