#include "tools/mlosim/word_option.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

#include "sim/spec/spelling.hpp"

namespace mlosim::cli {

CLI::Option* add_indexed_option(CLI::App& command, const std::string& name, const std::vector<std::string>& words,
                                const std::function<void(std::size_t)>& take, const std::string& description) {
  const auto choose = [name, words, take](const std::string& text) {
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end())
      throw CLI::ValidationError(name, "unknown value '" + text + "'; " + spec::spelling_hint(text, words));
    take(static_cast<std::size_t>(found - words.begin()));
  };
  return command.add_option_function<std::string>(name, choose, description)->type_name("WORD");
}

}  // namespace mlosim::cli
