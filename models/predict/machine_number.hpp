// The numbers of a machine by their paths, as text in its documents. Used where they are changed: sensitivities,
// machines of an exploration.
#pragma once

#include <string_view>

#include "sim/spec/hardware.hpp"

namespace mlosim::predict {

// The scalar at a path ("chip.hbm.bandwidth"), an annotated number's own; null where there is none.
spec::Value* find_number(spec::HardwareDocuments& documents, std::string_view path);

}  // namespace mlosim::predict
