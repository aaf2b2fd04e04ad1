// Which values the keys of a training layout can take at all: the axes of best_parallelism. What cannot be combined is
// left to complete_layout.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
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
  LayoutAxes(const Search& search, const graph::ModelSpec& model, const Numbers& chips)
      : search_(search), model_(model), chips_(chips) {
    for (const std::int64_t n : chips) most_chips_ = std::max(most_chips_, n);
  }

  std::vector<Axis> of_training(const predict::Training& training) {
    const graph::ModelSpec& m = model_;
    add_tp();
    add_counts("pp", "parallelism.pp", std::min(most_chips_, m.layers + 2),
               [&](std::int64_t n) { return divides_chips(n); });
    add_counts("cp", "parallelism.cp", std::min(most_chips_, training.sequence),
               [&](std::int64_t n) { return divides_chips(n) && training.sequence % n == 0; });
    add_experts();
    add_counts("micro_batch", "train.micro_batch", training.global_batch,
               [&](std::int64_t n) { return training.global_batch % n == 0; });
    add_counts("virtual_stages", "parallelism.virtual_stages", (m.layers + 2) / 2,
               [&](std::int64_t n) { return m.layers % n == 0 || (m.layers + 1) % n == 0 || (m.layers + 2) % n == 0; });
    add_words("sp", "parallelism.sp", {"false", "true"});
    add_words("schedule", "parallelism.schedule", {"1f1b", "interleaved", "zero_bubble", "dualpipe", "gpipe"});
    add_words("zero", "parallelism.zero", {"0", "1", "2", "3"});
    add_words("recompute", "train.recompute", {"none", "selective", "full"});
    add_words("overlap.grad_reduce", "train.overlap.grad_reduce", {"true", "false"});
    add_words("overlap.param_gather", "train.overlap.param_gather", {"true", "false"});
    add_words("overlap.tp", "train.overlap.tp", {"true", "false"});
    return take();
  }

  std::vector<Axis> of_inference() {
    add_tp();
    add_experts();
    add_counts("attention_dp", "parallelism.attention_dp", most_chips_,
               [&](std::int64_t n) { return divides_chips(n); });
    add_counts("pp", "parallelism.pp", std::min(most_chips_, model_.layers),
               [&](std::int64_t n) { return divides_chips(n); });
    add_counts("cp", "parallelism.cp", most_chips_, [&](std::int64_t n) { return divides_chips(n); });
    add_words("sp", "parallelism.sp", {"false", "true"});
    return take();
  }

 private:
  void add_tp() {
    const graph::ModelSpec& m = model_;
    add_counts("tp", "parallelism.tp", most_chips_, [&](std::int64_t n) {
      return divides_chips(n) && m.heads % n == 0 && (m.kv_heads > n ? m.kv_heads % n == 0 : n % m.kv_heads == 0);
    });
  }

  void add_experts() {
    const std::int64_t experts = model_.moe ? model_.moe->experts : 1;
    add_counts("ep", "parallelism.ep", experts, [&](std::int64_t n) { return experts % n == 0; });
  }

  std::vector<Axis> take() {
    for (const LayoutLimit& limit : search_.layouts) {
      const bool is_used = std::any_of(axes_.begin(), axes_.end(), [&](const Axis& axis) {
        return axis.name == "parallelism." + limit.key || axis.name == "train." + limit.key;
      });
      if (is_used) continue;
      diagnostics_.add({.place = limit.place,
                        .path = "method.best_parallelism." + limit.key,
                        .message = "is no part of the layouts of this task",
                        .hint = "leave it out"});
    }
    diagnostics_.throw_if_any();
    return std::move(axes_);
  }

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
    } else if (std::none_of(limit->values.begin(), limit->values.end(),
                            [&](const spec::Value& value) { return may_be_valid(value, is_valid); })) {
      refuse_all(key, limit->place);
    }
    add_words(key, path, words);
  }

  // What is no count is told by add().
  static bool may_be_valid(const spec::Value& value, const std::function<bool(std::int64_t)>& is_valid) {
    std::int64_t n = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, n);
    return error != std::errc() || stop != end || n < 1 || is_valid(n);
  }

  void refuse_all(std::string_view key, const spec::Place& place) {
    diagnostics_.add({.place = place,
                      .path = fmt::format("method.best_parallelism.{}", key),
                      .message = "no value of it is valid for the model and its chips",
                      .hint = ""});
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
    if (axis.choices.empty()) refuse_all(key, axis.place);
    axes_.push_back(std::move(axis));
  }

  void add(const spec::Value& value, Axis& axis) {
    Choice choice{.values = {value},
                  .numbers = {std::nan("")},
                  .label = value.is_scalar() ? value.text : spec::render_yaml(value)};
    try {
      const auto key = layout_key_at(axis.paths.front());  // attention_dp, of inference alone, is a count as tp is
      const LayoutValue decoded = decode_layout_value(key.value_or(LayoutKey::tp), value);
      if (value.is_scalar() && !value.text.empty() && value.text.find_first_not_of("0123456789") == std::string::npos)
        choice.numbers = {static_cast<double>(decoded.number)};
    } catch (const spec::InputError& error) {
      for (const spec::Diagnostic& mistake : error.diagnostics()) diagnostics_.add(mistake);
    }
    axis.choices.push_back(std::move(choice));
  }

  const Search& search_;
  const graph::ModelSpec& model_;
  const Numbers& chips_;
  std::int64_t most_chips_ = 1;
  std::vector<Axis> axes_;
  spec::Diagnostics diagnostics_;
};

}  // namespace

std::vector<Axis> layout_axes(const Search& search, const predict::Workload& workload,
                              const std::vector<std::int64_t>& chips) {
  LayoutAxes axes(search, *workload.model, chips);
  return workload.training ? axes.of_training(*workload.training) : axes.of_inference();
}

}  // namespace mlosim::explore
