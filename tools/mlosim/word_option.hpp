// An option whose value is one of a closed list of words. Used by the commands.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mlosim::cli {

// Declares the option; `take` gets the index of the word given. An unknown word is refused with the nearest one.
CLI::Option* add_indexed_option(CLI::App& command, const std::string& name, const std::vector<std::string>& words,
                                const std::function<void(std::size_t)>& take, const std::string& description);

template <class E>
using Words = std::vector<std::pair<std::string, E>>;

template <class E>
CLI::Option* add_word_option(CLI::App& command, const std::string& name, E& value, const Words<E>& words,
                             const std::string& description) {
  std::vector<std::string> known;
  for (const auto& [word, meaning] : words) known.push_back(word);
  return add_indexed_option(
      command, name, known, [&value, words](std::size_t index) { value = words[index].second; }, description);
}

}  // namespace mlosim::cli
