#include "models/explore/check_study.hpp"

#include <fmt/format.h>

#include "models/explore/blueprint.hpp"
#include "models/explore/chunk.hpp"
#include "models/explore/space.hpp"

namespace mlosim::explore {

std::optional<predict::Checked> check(const spec::Library& library, const std::string& name_or_path) {
  std::string file = name_or_path;
  if (!spec::is_path(name_or_path)) {
    const auto found = library.find(spec::Shelf::studies, name_or_path);
    if (!found) return std::nullopt;
    file = *found;
  } else if (name_or_path == "-") {
    return std::nullopt;  // can be read once; other kinds of files come from there, too
  }
  const spec::Value document = spec::read_document(file);
  const spec::Value* schema = document.find("schema");
  if (!schema || !schema->text.starts_with("mlosim/study/")) return std::nullopt;
  predict::Checked checked;
  const Blueprint blueprint = draw_blueprint(library, decode_study(document, name_or_path), checked.warnings);
  const Space space(blueprint);
  shows_all(blueprint, space);
  checked.what = fmt::format("study of {} points", space.size());
  return checked;
}

}  // namespace mlosim::explore
