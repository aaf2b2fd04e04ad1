// `method:` of a study: how its points are gone through.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "models/explore/study.hpp"
#include "sim/spec/spelling.hpp"
#include "sim/units/check.hpp"

namespace mlosim::explore {
namespace {

using spec::Node;

constexpr std::array kMethods{std::pair{std::string_view("grid"), Method::grid},
                              std::pair{std::string_view("random"), Method::random},
                              std::pair{std::string_view("latin_hypercube"), Method::latin_hypercube},
                              std::pair{std::string_view("nsga2"), Method::nsga2},
                              std::pair{std::string_view("best_parallelism"), Method::best_parallelism}};

// `{tp: [1, 2, 4], pp: {max: 32}, zero: 1}`.
void decode_limits(Node node, Search& search) {
  static const std::vector<std::string> kKeys{"tp",
                                              "pp",
                                              "cp",
                                              "ep",
                                              "attention_dp",
                                              "sp",
                                              "micro_batch",
                                              "virtual_stages",
                                              "schedule",
                                              "zero",
                                              "recompute",
                                              "overlap.grad_reduce",
                                              "overlap.param_gather",
                                              "overlap.tp"};
  static const std::vector<std::string> kCounts{
      "tp", "pp", "cp", "ep", "attention_dp", "micro_batch", "virtual_stages"};
  for (auto& [key, value] : node.members()) {
    LayoutLimit limit{.key = key, .values = {}, .place = value.value()->place()};
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end())
      value.fail(fmt::format("'{}' is no part of a layout", key), spec::spelling_hint(key, kKeys));
    for (std::size_t i = 0; value.is_sequence() && i < value.value()->items.size(); ++i) {
      const auto& items = value.value()->items;
      const auto same = [&](const spec::Value& other) { return other.is_scalar() && other.text == items[i].text; };
      if (items[i].is_scalar() && std::any_of(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(i), same))
        value.fail(fmt::format("'{}' is in the list twice", items[i].text));
    }
    if (value.is_mapping() && value.has("max")) {
      if (std::find(kCounts.begin(), kCounts.end(), key) == kCounts.end())
        value.fail("'max' belongs to a count", fmt::format("list the values of '{}'", key));
      Node bound = value;
      limit.most = bound.require_count("max");
      bound.finish();
    } else if (value.is_sequence()) {
      limit.values = value.value()->items;
      if (limit.values.empty()) value.fail("the list is empty", "leave the key out to allow every valid value");
    } else if (value.is_present()) {
      limit.values = {*value.value()};
    }
    search.layouts.push_back(std::move(limit));
  }
}

}  // namespace

std::string_view name_of(Method method) {
  for (const auto& [name, value] : kMethods) {
    if (value == method) return name;
  }
  MLOSIM_CHECK(false);
}

void decode_search(Node node, Search& search) {
  if (!node.is_present()) return;
  search.place = node.value()->place();
  std::string word;
  Node fields(nullptr, "", &node.decoding());
  if (node.is_scalar()) {
    word = node.as_text();
  } else if (node.is_mapping() && node.value()->members.size() == 1) {
    const auto entries = node.members();
    word = entries.front().first;
    fields = entries.front().second;
  } else {
    node.fail("expected one method", "method: grid or method: {random: {points: 1000}}");
    return;
  }
  std::vector<std::string> known;
  bool is_known = false;
  for (const auto& [name, method] : kMethods) {
    known.emplace_back(name);
    if (name == word) {
      search.method = method;
      is_known = true;
    }
  }
  if (!is_known) {
    node.fail(fmt::format("no method is called '{}'", word), spec::spelling_hint(word, known));
    return;
  }
  constexpr std::int64_t kMostPoints = 1'000'000'000;
  const auto bounded = [&](std::string_view key, std::int64_t fallback, std::int64_t most) {
    const std::int64_t count = fields.count_or(key, fallback);
    if (count > most) fields.fail_at(key, fmt::format("is at most {}", most));
    return static_cast<std::uint64_t>(std::min(count, most));
  };
  switch (search.method) {
    case Method::grid:
      if (fields.is_present()) fields.finish();
      return;
    case Method::best_parallelism:
      if (fields.is_present()) decode_limits(fields, search);
      return;
    case Method::nsga2:
      search.population = bounded("population", 64, 100'000);
      search.generations = bounded("generations", 40, 1'000'000);
      if (search.population % 4 != 0 || search.population < 8)
        fields.fail_at("population", "is a multiple of 4, and at least 8");
      break;
    case Method::random:
      search.points = bounded("points", 1000, kMostPoints);
      break;
    case Method::latin_hypercube:
      search.points = bounded("points", 1000, 10'000'000);
      break;
  }
  const std::int64_t seed = fields.count_or("seed", 1, 0);
  constexpr std::int64_t kMostSeed = std::numeric_limits<std::uint32_t>::max();  // of pagmo's generators
  if (search.method == Method::nsga2 && seed > kMostSeed)
    fields.fail_at("seed", fmt::format("is at most {} for nsga2", kMostSeed));
  search.seed = static_cast<std::uint64_t>(seed);
  if (fields.is_present()) fields.finish();
}

}  // namespace mlosim::explore
