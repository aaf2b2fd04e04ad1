// A sum has one dimension.
// expects: no match for 'operator\+'|invalid operands to binary expression
#include "sim/units/quantity.hpp"

const auto sum = mlosim::Bytes(1) + mlosim::Seconds(1);
