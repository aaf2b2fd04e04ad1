#include "models/predict/machine_number.hpp"

#include <string>
#include <utility>

namespace mlosim::predict {

spec::Value* find_number(spec::HardwareDocuments& documents, std::string_view path) {
  spec::Value* at = nullptr;
  for (const auto& [prefix, document] : {std::pair<std::string_view, spec::Value*>{"chip.", &documents.chip},
                                         {"system.", &documents.system},
                                         {"collectives.", &documents.collectives},
                                         {"runtime.", &documents.runtime}}) {
    if (!path.starts_with(prefix)) continue;
    at = document;
    path.remove_prefix(prefix.size());
    break;
  }
  while (at && !path.empty()) {
    const std::size_t dot = path.find('.');
    at = at->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  if (at && at->is_mapping()) at = at->find("value");
  return at && at->is_scalar() ? at : nullptr;
}

}  // namespace mlosim::predict
