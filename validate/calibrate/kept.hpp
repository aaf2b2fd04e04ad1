// What a prediction by other chips' numbers still knows of the chip itself: fitted numbers of its own documents that no
// free parameter stands for. Used where a chip is left out, whose prediction they would flatter unseen.
#pragma once

#include <string>
#include <vector>

#include "validate/calibrate/objective.hpp"

namespace mlosim::calibrate {

// The numbers of kind `fitted` in the chip's documents that move the time of at least one of the objective's rows, and
// for which the machine takes no parameter of `setting`; each with the file it stands in, "chip.gemm.fixed (ada.yaml)",
// sorted. A number is found to move a row by halving it and doubling it; where neither can be read it is named too.
std::vector<std::string> kept_numbers(const Objective& objective, const Setting& setting);

}  // namespace mlosim::calibrate
