// Scripts and styles of the pages that mlosim writes, as they were bundled when it was built.
#pragma once

#include <optional>
#include <string_view>

namespace mlosim::report_pages {

struct PageAssets {
  std::string_view script, style;
};

// Of the page of a study. Nothing in a build that found no npm or no registry to take the plotting library from.
std::optional<PageAssets> study_page();

}  // namespace mlosim::report_pages
