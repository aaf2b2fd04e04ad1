// Text that stands in SVG or HTML. Internal to the renderers.
#pragma once

#include <string>
#include <string_view>

namespace mlosim::predict {

std::string escape_xml(std::string_view text);

}  // namespace mlosim::predict
