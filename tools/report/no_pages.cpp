#include "tools/report/pages.hpp"

namespace mlosim::report_pages {

std::optional<PageAssets> study_page() { return std::nullopt; }

}  // namespace mlosim::report_pages
