// Chips that are predicted with another chip's kernel parameters, as one that was never measured is: what a pair of
// them tells of the error to expect. Used by residual_rows.hpp.
#pragma once

#include "sim/spec/hardware.hpp"
#include "sim/work/operator.hpp"

namespace mlosim::compare {

// The borrower with all that is fitted to rows of the lender: kernel parameters, shares of its memories' bandwidths
// that kernels reach, energies of operations. What is of the borrower alone stays: its data sheet with the power cap,
// and the rates and latencies that were measured of it.
spec::Hardware borrow(const spec::Hardware& borrower, const spec::ChipSpec& lender);

// Whether that tells how far kernels of `op` are off on a chip that none of its numbers was fitted to. Not where each
// number of the borrower's kernels that is fitted to rows, or measured on them, comes back to it: as the number of a
// common family, or of a fit to rows of both, or from a lender whose number was taken from the borrower. Which chips a
// number was fitted to is what its source says ("H100 SXM", "h100_sxm__gemm.csv"). Optimistic in what some numbers of
// the pairs that remain are one value for all chips, the borrower among them.
bool tells_of_unfitted(const spec::Hardware& borrower, const spec::Hardware& lender, const work::Operator& op);

}  // namespace mlosim::compare
