// The grammar of expressions (expression.hpp), by recursive descent.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "models/explore/expression.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::explore {
namespace {

using Code = Expression::Code;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
// Letters of a unit; the micro sign is two bytes of UTF-8.
bool is_unit_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

Dimension times(Dimension a, Dimension b, int sign) {
  return {a.time + sign * b.time, a.data + sign * b.data, a.work + sign * b.work, a.energy + sign * b.energy,
          a.money + sign * b.money};
}

}  // namespace

// What it has read so far is in reverse Polish order.
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, const spec::Place& place, const std::string& path, const Resolve& resolve)
      : text_(text), place_(place), path_(path), resolve_(resolve) {}

  Expression whole() {
    Expression e = side();
    if (at_ < text_.size()) fail(fmt::format("'{}' was not expected here", text_.substr(at_)));
    return e;
  }

  // Up to what is no part of an expression.
  Expression side() {
    steps_.clear();
    const Dimension dimension = sum();
    Expression e;
    e.steps_ = std::exchange(steps_, {});
    e.dimension_ = dimension;
    check_depth(e.steps_);
    return e;
  }

  Comparison comparison() {
    Comparison c;
    c.left = side();
    c.relation = relation();
    c.right = whole();
    require_same(c.left.dimension(), c.right.dimension(), "both sides of a comparison");
    return c;
  }

 private:
  [[noreturn]] void fail(const std::string& message, const std::string& hint = "") const {
    throw spec::InputError(
        {{.place = place_, .path = path_, .message = fmt::format("in \"{}\": {}", text_, message), .hint = hint}});
  }

  void require_same(Dimension a, Dimension b, std::string_view what) const {
    if (!(a == b)) fail(fmt::format("{} are of one kind, not {} and {}", what, describe(a), describe(b)));
  }

  Relation relation() {
    if (take("<=")) return Relation::at_most;
    if (take("<")) return Relation::below;
    if (take(">=")) return Relation::at_least;
    if (take(">")) return Relation::above;
    if (take("==")) return Relation::equal;
    fail("expected <=, <, >=, > or ==", "such as \"power_w_per_chip <= 600 W\"");
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  bool take(std::string_view symbol) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    skip_blanks();
    return true;
  }

  void emit(Code code, double number = 0, std::size_t slot = 0) { steps_.push_back({code, number, slot}); }

  Dimension sum() {
    Dimension dimension = product();
    while (true) {
      const bool adds = take("+");
      if (!adds && !take("-")) return dimension;
      require_same(dimension, product(), "both sides of + and -");
      emit(adds ? Code::add : Code::subtract);
    }
  }

  Dimension product() {
    Dimension dimension = factor();
    while (true) {
      const bool multiplies = take("*");
      if (!multiplies && !take("/")) return dimension;
      dimension = times(dimension, factor(), multiplies ? 1 : -1);
      emit(multiplies ? Code::multiply : Code::divide);
    }
  }

  Dimension factor() {
    if (take("-")) {
      if (++depth_ > kDeepest) fail("it is nested too deeply");
      const Dimension dimension = factor();
      --depth_;
      emit(Code::negate);
      return dimension;
    }
    const Dimension base = value();
    if (!take("^")) return base;
    const std::size_t start = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    const std::string digits(text_.substr(start, at_ - start));
    if (digits.empty() || digits == "-" || digits.size() > 3) fail("an exponent is a small whole number");
    const int exponent = std::stoi(digits);
    emit(Code::power, exponent);
    Dimension dimension;
    for (int i = 0; i < std::abs(exponent); ++i) dimension = times(dimension, base, exponent < 0 ? -1 : 1);
    return dimension;
  }

  Dimension value() {
    skip_blanks();
    if (at_ >= text_.size()) fail("it ends where a value was expected");
    if (take("(")) {
      if (++depth_ > kDeepest) fail("the parentheses are nested too deeply");
      const Dimension dimension = sum();
      --depth_;
      if (!take(")")) fail("a ')' is missing");
      return dimension;
    }
    if (is_digit(text_[at_]) || text_[at_] == '.') return number();
    if (is_letter(text_[at_])) return name();
    fail(fmt::format("'{}' is no value", text_.substr(at_, 1)));
  }

  Dimension number() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    if (at_ + 1 < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      std::size_t digits = at_ + 1;
      if (text_[digits] == '-' || text_[digits] == '+') ++digits;
      if (digits < text_.size() && is_digit(text_[digits])) {
        at_ = digits;
        while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      }
    }
    const std::string digits(text_.substr(start, at_ - start));
    const std::string with_unit = digits + unit_here();
    const auto parsed = parse_quantity(with_unit);
    if (const auto* wrong = std::get_if<ParseError>(&parsed)) fail(wrong->message, wrong->hint);
    const ParsedQuantity& quantity = std::get<ParsedQuantity>(parsed);
    emit(Code::constant, quantity.si);
    return quantity.dimension;
  }

  // " TB/s" where a unit follows the number; what is a name or a function is none.
  std::string unit_here() {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] == ' ') ++end;
    const std::size_t first = end;
    while (end < text_.size() && is_unit_letter(text_[end])) ++end;
    if (end == first || continues_a_name(end)) return "";
    while (end + 1 < text_.size() && (text_[end] == '/' || text_[end] == '*') && is_unit_letter(text_[end + 1])) {
      std::size_t next = end + 1;
      while (next < text_.size() && is_unit_letter(text_[next])) ++next;
      const std::string longer = "1 " + std::string(text_.substr(first, next - first));
      if (continues_a_name(next) || std::holds_alternative<ParseError>(parse_quantity(longer))) break;
      end = next;
    }
    at_ = end;
    return " " + std::string(text_.substr(first, end - first));
  }

  bool continues_a_name(std::size_t at) const {
    return at < text_.size() && (text_[at] == '.' || text_[at] == '(' || text_[at] == '_' || is_digit(text_[at]));
  }

  Dimension name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    const std::string word(text_.substr(start, at_ - start));
    if (take("(")) return call(word);
    Meaning meaning;
    try {
      meaning = resolve_(word);
    } catch (const spec::InputError& error) {
      fail(error.diagnostics().front().message, error.diagnostics().front().hint);
    }
    if (meaning.slot) {
      emit(Code::slot, 0, *meaning.slot);
    } else {
      emit(Code::constant, meaning.constant);
    }
    return meaning.dimension;
  }

  Dimension call(const std::string& function) {
    if (++depth_ > kDeepest) fail("the parentheses are nested too deeply");
    const Dimension first = sum();
    Dimension result = first;
    if (function == "min" || function == "max") {
      std::size_t more = 0;
      while (take(",")) {
        require_same(first, sum(), fmt::format("arguments of {}", function));
        emit(function == "min" ? Code::minimum : Code::maximum);
        ++more;
      }
      if (more == 0) fail(fmt::format("{} takes two or more arguments", function));
    } else if (function == "sqrt") {
      emit(Code::root);
      for (const int exponent : {first.time, first.data, first.work, first.energy, first.money}) {
        if (exponent % 2 != 0) fail(fmt::format("{} has no square root", describe(first)));
      }
      result = {first.time / 2, first.data / 2, first.work / 2, first.energy / 2, first.money / 2};
    } else if (function == "round" || function == "floor" || function == "ceil") {
      if (take(",")) {
        require_same(first, sum(), fmt::format("arguments of {}", function));
      } else {
        if (!(first == Dimension{}))
          fail(fmt::format("{} of a quantity needs a step", function), fmt::format("such as {}(x, 1 MiB)", function));
        emit(Code::constant, 1);
      }
      emit(Code::to_multiple, 0, function == "round" ? 0 : function == "floor" ? 1 : 2);
    } else {
      fail(fmt::format("no function is called '{}'", function),
           spec::spelling_hint(function, {"min", "max", "sqrt", "round", "floor", "ceil"}));
    }
    --depth_;
    if (!take(")")) fail("a ')' is missing");
    return result;
  }

  void check_depth(const std::vector<Expression::Step>& steps) const {
    std::size_t depth = 0, deepest = 0;
    for (const Expression::Step& step : steps) {
      const bool pushes = step.code == Code::constant || step.code == Code::slot;
      const bool keeps = step.code == Code::negate || step.code == Code::power || step.code == Code::root;
      if (pushes) ++depth;
      if (!pushes && !keeps) --depth;
      deepest = std::max(deepest, depth);
    }
    if (deepest > 32) fail("it is nested too deeply");
  }

  static constexpr int kDeepest = 64;

  std::string_view text_;
  const spec::Place& place_;
  const std::string& path_;
  const Resolve& resolve_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<Expression::Step> steps_;
};

Expression parse_expression(std::string_view text, const spec::Place& place, const std::string& path,
                            const Resolve& resolve) {
  return ExpressionParser(text, place, path, resolve).whole();
}

Comparison parse_comparison(std::string_view text, const spec::Place& place, const std::string& path,
                            const Resolve& resolve) {
  return ExpressionParser(text, place, path, resolve).comparison();
}

}  // namespace mlosim::explore
