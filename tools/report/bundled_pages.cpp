#include "tools/report/pages.hpp"

// The assembler copies the files as they are.
#define MLOSIM_EMBED(symbol, path)                                                                      \
  asm(".pushsection .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" path "\"\n.global " #symbol \
      "_end\n" #symbol "_end:\n.byte 0\n.popsection\n");                                                \
  extern "C" const char symbol[], symbol##_end[]

MLOSIM_EMBED(mlosim_study_script, MLOSIM_STUDY_SCRIPT);
MLOSIM_EMBED(mlosim_study_style, MLOSIM_STUDY_STYLE);

namespace mlosim::report_pages {

std::optional<PageAssets> study_page() {
  return PageAssets{.script = {mlosim_study_script, mlosim_study_script_end},
                    .style = {mlosim_study_style, mlosim_study_style_end}};
}

}  // namespace mlosim::report_pages
