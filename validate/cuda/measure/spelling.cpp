#include "validate/cuda/measure/spelling.hpp"

#include <algorithm>
#include <cstddef>

namespace mlosim::measure {
namespace {

constexpr std::size_t kLongestName = 80;  // keeps the quadratic distance small
constexpr std::size_t kMostListed = 12;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string spelling_hint(std::string_view word, const std::vector<std::string>& candidates) {
  if (candidates.empty()) return "";
  std::string nearest;
  std::size_t nearest_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (word.size() > kLongestName || candidate.size() > kLongestName) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < nearest_distance && distance < candidate.size()) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  if (!nearest.empty()) return "did you mean '" + nearest + "'?";
  std::string list = "one of: ";
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostListed); ++i)
    list += (i > 0 ? ", " : "") + candidates[i];
  return candidates.size() > kMostListed ? list + ", ..." : list;
}

}  // namespace mlosim::measure
