#include "models/predict/residuals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <variant>

#include "sim/units/check.hpp"

namespace mlosim::predict {
namespace {

using work::DType;

// The formats of activations, and of weights or cache.
struct FormatsOf {
  std::pair<DType, DType> operator()(const work::Gemm& g) const { return {g.activations, g.weights}; }
  std::pair<DType, DType> operator()(const work::MoeGemm& m) const { return {m.activations, m.weights}; }
  std::pair<DType, DType> operator()(const work::AttentionPrefill& a) const { return {a.dtype, a.kv_dtype}; }
  std::pair<DType, DType> operator()(const work::AttentionDecode& a) const { return {a.dtype, a.kv_dtype}; }
  std::pair<DType, DType> operator()(const work::MlaPrefill& a) const { return {a.dtype, a.kv_dtype}; }
  std::pair<DType, DType> operator()(const work::MlaDecode& a) const { return {a.dtype, a.kv_dtype}; }
  template <class Other>
  std::pair<DType, DType> operator()(const Other& op) const {
    return {op.dtype, op.dtype};
  }
};

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr double kSameDistance = 1e-12;  // curves this near to each other, in squares, are equally far

}  // namespace

std::string format_of(const work::Operator& op) {
  const auto [first, second] = std::visit(FormatsOf(), op);
  return first == second ? std::string(work::name_of(first))
                         : fmt::format("{}/{}", work::name_of(first), work::name_of(second));
}

ResidualKey residual_key(const work::Operator& op, const spec::Hardware& hardware, Seconds time) {
  return {.chip = hardware.is_hypothetical ? std::string() : hardware.system.chip.name,
          .family = hardware.system.chip.family,
          .runtime = hardware.runtime.name,
          .op = std::string(work::name_of(op)),
          .format = format_of(op),
          .time = time};
}

std::string_view kind_of(std::string_view op) {
  if (op == "gemm") return "gemm";
  if (op == "moe_gemm") return "moe";
  if (op.starts_with("attention_") || op.starts_with("mla_")) return "attention";
  for (const work::CollectiveKind kind :
       {work::CollectiveKind::all_reduce, work::CollectiveKind::all_gather, work::CollectiveKind::reduce_scatter,
        work::CollectiveKind::all_to_all, work::CollectiveKind::broadcast, work::CollectiveKind::p2p}) {
    if (op == work::name_of(kind)) return "collective";
  }
  return "elementwise";
}

double Quantiles::lower() const { return -std::hypot(low, distance); }
double Quantiles::upper() const { return std::hypot(high, distance); }

std::string_view name_of(Step step) {
  switch (step) {
    case Step::chip:
      return "chip";
    case Step::family:
      return "family";
    case Step::runtime:
      return "runtime";
    case Step::format:
      return "format";
    case Step::op:
      return "op";
    case Step::kind:
      return "kind";
    case Step::size:
      return "size";
  }
  MLOSIM_CHECK(false);
}

double StepDistance::of(std::string_view op) const {
  const auto own = by_op.find(op);
  return own == by_op.end() ? usual : own->second;
}

Quantiles ResidualCurve::at(Seconds time) const {
  MLOSIM_CHECK(!points.empty());
  const auto next = std::upper_bound(points.begin(), points.end(), time,
                                     [](Seconds t, const Point& point) { return t < point.time; });
  if (next == points.begin()) return {.low = next->low, .high = next->high};
  const auto last = next - 1;
  if (next == points.end()) return {.low = last->low, .high = last->high};
  const double share = std::log(time / last->time) / std::log(next->time / last->time);
  return {.low = std::lerp(last->low, next->low, share), .high = std::lerp(last->high, next->high, share)};
}

double ResidualCurve::outside(Seconds time) const {
  return std::max({0.0, std::log(shortest / time), std::log(time / longest)});
}

bool ResidualCurve::has(const std::string& runtime, const std::string& format) const {
  const auto found = formats.find(runtime);
  return found != formats.end() && contains(found->second, format);
}

Residuals::Residuals(ResidualTable table) : table_(std::move(table)) {
  for (std::size_t i = 0; i < table_.curves.size(); ++i) {
    by_op_[table_.curves[i].op].push_back(i);
    by_kind_[std::string(kind_of(table_.curves[i].op))].push_back(i);
  }
}

double Residuals::squared_distance(const ResidualCurve& curve, const ResidualKey& key) const {
  const auto squared = [&](Step step) { return std::pow(table_.step(step, key.op), 2); };
  double sum = 0;
  if (kind_of(curve.op) != kind_of(key.op)) {
    sum += squared(Step::kind);
  } else if (curve.op != key.op) {
    sum += squared(Step::op);
  }
  // Kernel parameters of an operator that was not measured are not fitted either, on whichever chip.
  if (curve.op != key.op || curve.family != key.family) sum += squared(Step::family);
  if (curve.chip != key.chip && (curve.op != key.op || curve.family == key.family)) sum += squared(Step::chip);
  if (curve.has(key.runtime, key.format)) return sum;
  const bool other_runtime = !curve.formats.contains(key.runtime);
  const bool same_format =
      other_runtime && std::any_of(curve.formats.begin(), curve.formats.end(),
                                   [&](const auto& formats) { return contains(formats.second, key.format); });
  if (other_runtime) sum += squared(Step::runtime);
  if (!same_format) sum += squared(Step::format);
  return sum;
}

Quantiles Residuals::of(const ResidualKey& key) const {
  std::vector<std::size_t> all;
  const std::vector<std::size_t>* candidates = &all;
  if (const auto same_op = by_op_.find(key.op); same_op != by_op_.end()) {
    candidates = &same_op->second;
  } else if (const auto same_kind = by_kind_.find(kind_of(key.op)); same_kind != by_kind_.end()) {
    candidates = &same_kind->second;
  } else {
    all.resize(table_.curves.size());
    std::iota(all.begin(), all.end(), std::size_t(0));
  }
  std::vector<const ResidualCurve*> nearest;
  double least = std::numeric_limits<double>::infinity();
  for (const std::size_t i : *candidates) {
    const double squared = squared_distance(table_.curves[i], key);
    if (squared > least + kSameDistance) continue;
    if (squared < least - kSameDistance) {
      nearest.clear();
      least = squared;
    }
    nearest.push_back(&table_.curves[i]);
  }
  MLOSIM_CHECK(!nearest.empty());
  Quantiles mean;
  double outside = std::numeric_limits<double>::infinity();
  for (const ResidualCurve* curve : nearest) {
    const Quantiles own = curve->at(key.time);
    mean.low += own.low / static_cast<double>(nearest.size());
    mean.high += own.high / static_cast<double>(nearest.size());
    outside = std::min(outside, curve->outside(key.time));
  }
  mean.distance = std::hypot(std::sqrt(least), table_.step(Step::size, key.op) * outside);
  return mean;
}

}  // namespace mlosim::predict
