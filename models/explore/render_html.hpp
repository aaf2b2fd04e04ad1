// A study's result as one page that needs nothing but itself: its figures as JSON, and the script that draws them
// (tools/report/study.js with the plotting library that it is bundled with).
#pragma once

#include <string>
#include <string_view>

#include "models/explore/result.hpp"

namespace mlosim::explore {

struct PageParts {
  std::string_view script, style;
};

// Texts of the study are data to the page, never markup.
std::string render_html(const Result& result, const PageParts& parts);

}  // namespace mlosim::explore
