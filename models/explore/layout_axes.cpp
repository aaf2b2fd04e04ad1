// Which values the keys of a training layout can take at all: the axes of best_parallelism. What cannot be combined is
// left to complete_layout.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "models/explore/training_layout.hpp"

namespace mlosim::explore {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers numbers_up_to(std::int64_t most, const std::function<bool(std::int64_t)>& is_valid) {
  Numbers numbers;
  for (std::int64_t n = 1; n <= most; ++n) {
    if (is_valid(n)) numbers.push_back(n);
  }
  return numbers;
}

class LayoutAxes {
 public:
  LayoutAxes(const Search& search, const graph::ModelSpec& model, const predict::Training& training,
             const Numbers& chips)
      : search_(search), model_(model), training_(training), chips_(chips) {
    for (const std::int64_t n : chips) most_chips_ = std::max(most_chips_, n);
  }

  std::vector<Axis> axes() {
    const graph::ModelSpec& m = model_;
    add_counts("tp", "parallelism.tp", most_chips_, [&](std::int64_t n) {
      return divides_chips(n) && m.heads % n == 0 && (m.kv_heads > n ? m.kv_heads % n == 0 : n % m.kv_heads == 0);
    });
    add_counts("pp", "parallelism.pp", std::min(most_chips_, m.layers + 2),
               [&](std::int64_t n) { return divides_chips(n); });
    add_counts("cp", "parallelism.cp", std::min(most_chips_, training_.sequence),
               [&](std::int64_t n) { return divides_chips(n) && training_.sequence % n == 0; });
    const std::int64_t experts = m.moe ? m.moe->experts : 1;
    add_counts("ep", "parallelism.ep", experts, [&](std::int64_t n) { return experts % n == 0; });
    add_counts("micro_batch", "train.micro_batch", training_.global_batch,
               [&](std::int64_t n) { return training_.global_batch % n == 0; });
    add_counts("virtual_stages", "parallelism.virtual_stages", (m.layers + 2) / 2,
               [&](std::int64_t n) { return m.layers % n == 0 || (m.layers + 1) % n == 0 || (m.layers + 2) % n == 0; });
    add_words("sp", "parallelism.sp", {"false", "true"});
    add_words("schedule", "parallelism.schedule", {"1f1b", "interleaved", "zero_bubble", "dualpipe", "gpipe"});
    add_words("zero", "parallelism.zero", {"0", "1", "2", "3"});
    add_words("recompute", "train.recompute", {"none", "selective", "full"});
    add_words("overlap.grad_reduce", "train.overlap.grad_reduce", {"true", "false"});
    add_words("overlap.param_gather", "train.overlap.param_gather", {"true", "false"});
    add_words("overlap.tp", "train.overlap.tp", {"true", "false"});
    diagnostics_.throw_if_any();
    return std::move(axes_);
  }

 private:
  bool divides_chips(std::int64_t n) const {
    return std::any_of(chips_.begin(), chips_.end(), [&](std::int64_t chips) { return chips % n == 0; });
  }

  const LayoutLimit* limit_of(std::string_view key) const {
    for (const LayoutLimit& limit : search_.layouts) {
      if (limit.key == key) return &limit;
    }
    return nullptr;
  }

  void add_counts(std::string_view key, std::string_view path, std::int64_t most,
                  const std::function<bool(std::int64_t)>& is_valid) {
    const LayoutLimit* limit = limit_of(key);
    std::vector<std::string> words;
    if (!limit || limit->values.empty()) {
      for (const std::int64_t n : numbers_up_to(std::min(most, limit ? limit->most : most), is_valid))
        words.push_back(std::to_string(n));
    }
    add_words(key, path, words);
  }

  void add_words(std::string_view key, std::string_view path, const std::vector<std::string>& words) {
    const LayoutLimit* limit = limit_of(key);
    Axis axis{.name = std::string(path),
              .place = limit ? limit->place : search_.place,
              .workload = {},
              .paths = {std::string(path)},
              .choices = {},
              .dimensions = {Dimension{}}};
    if (limit && !limit->values.empty()) {
      for (const spec::Value& value : limit->values) add(value, axis);
    } else {
      for (const std::string& word : words) add(spec::make_scalar(word, "method best_parallelism"), axis);
    }
    if (axis.choices.empty()) {
      diagnostics_.add({.place = axis.place,
                        .path = fmt::format("method.best_parallelism.{}", key),
                        .message = "no value of it is valid for the model and its chips",
                        .hint = ""});
    }
    axes_.push_back(std::move(axis));
  }

  void add(const spec::Value& value, Axis& axis) {
    Choice choice{.values = {value},
                  .numbers = {std::nan("")},
                  .label = value.is_scalar() ? value.text : spec::render_yaml(value)};
    try {
      const LayoutKey key = *layout_key_at(axis.paths.front());
      const LayoutValue decoded = decode_layout_value(key, value);
      if (value.is_scalar() && !value.text.empty() && value.text.find_first_not_of("0123456789") == std::string::npos)
        choice.numbers = {static_cast<double>(decoded.number)};
    } catch (const spec::InputError& error) {
      for (const spec::Diagnostic& mistake : error.diagnostics()) diagnostics_.add(mistake);
    }
    axis.choices.push_back(std::move(choice));
  }

  const Search& search_;
  const graph::ModelSpec& model_;
  const predict::Training& training_;
  const Numbers& chips_;
  std::int64_t most_chips_ = 1;
  std::vector<Axis> axes_;
  spec::Diagnostics diagnostics_;
};

}  // namespace

std::vector<Axis> layout_axes(const Search& search, const graph::ModelSpec& model, const predict::Training& training,
                              const std::vector<std::int64_t>& chips) {
  return LayoutAxes(search, model, training, chips).axes();
}

}  // namespace mlosim::explore
