#include "models/predict/what_if.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "models/predict/sensitivity.hpp"

namespace mlosim::predict {
namespace {

constexpr const char* kFile = "hw_specs/uncertainty.yaml";
constexpr double kLeastElasticity = 0.005;
constexpr double kLeastEffect = 0.001;
constexpr double kWorthTrying = 0.05;  // elasticity below which nothing within reach halves the time
constexpr double kReach = 64;          // farthest factor that is tried
constexpr int kSteps = 6;              // to there, evenly spread over the logarithm
constexpr double kExactness = 0.005;   // of a factor

// A share ends at 1: what is left of the reach where the number is plain and below it.
double reach_of(const std::string& value, bool grows) {
  if (!grows) return 1 / kReach;
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  const bool is_share = end == value.c_str() + value.size() && number > 0 && number <= 1;
  return is_share ? 1 / number : kReach;
}

HalvedBy find_half(Sensitivity& sensitivity, const ParameterFacts& facts, Seconds base) {
  const bool grows = facts.elasticity < 0;
  HalvedBy half{.parameter = facts.parameter, .value = facts.value, .factor = {}, .needed = facts.value, .best = 1};
  const double reach = std::log(reach_of(facts.value, grows));
  // More need not be better all the way, nor every step a machine (a tile that no scratchpad holds).
  double near = 0, far = 0;
  std::string needed;
  for (int i = 1; i <= kSteps && needed.empty(); ++i) {
    near = far;
    far = reach * i / kSteps;
    const std::optional<Trial> trial = sensitivity.try_factor(facts.parameter, std::exp(far));
    if (!trial) continue;
    if (trial->time <= base / 2) needed = trial->value;
    if (trial->time >= half.best * base) continue;
    half.best = trial->time / base;
    half.needed = trial->value;
  }
  if (needed.empty()) return half;
  while (std::abs(far - near) > kExactness) {
    const double middle = (near + far) / 2;
    const std::optional<Trial> there = sensitivity.try_factor(facts.parameter, std::exp(middle));
    const bool is_enough = there && there->time <= base / 2;
    (is_enough ? far : near) = middle;
    if (is_enough) needed = there->value;
  }
  half.factor = std::exp(far);
  half.needed = needed;
  half.best = 0.5;
  return half;
}

}  // namespace

double ParameterFacts::effect() const { return std::abs(elasticity) * uncertainty; }

UncertaintyTable decode_uncertainty(spec::Node node) {
  using spec::SourceKind;
  UncertaintyTable table;
  node.expect_schema("mlosim/uncertainty/1");
  node.require_text("name");
  node.text_or("description", "");
  for (const SourceKind kind :
       {SourceKind::datasheet, SourceKind::measured, SourceKind::fitted, SourceKind::derived, SourceKind::assumed})
    table[kind] = node.require_number(spec::name_of(kind), spec::Range::non_negative);
  node.finish();
  return table;
}

UncertaintyTable read_uncertainty(const spec::Library& library) {
  const auto file = library.find_file(kFile);
  if (!file) return {};
  const spec::Value document = spec::read_document(*file);
  spec::Decoding decoding{.keeps_provenance = false};
  UncertaintyTable table = decode_uncertainty(spec::Node(&document, "uncertainty", &decoding));
  decoding.diagnostics.throw_if_any();
  return table;
}

double uncertainty_of(const spec::Provenance& provenance, const UncertaintyTable& table) {
  constexpr std::string_view kStandardError = "se ";
  const std::string& source = provenance.source;
  for (std::size_t at = source.find(kStandardError); at != std::string::npos;
       at = source.find(kStandardError, at + 1)) {
    const bool is_word = at == 0 || source[at - 1] == ' ' || source[at - 1] == ';' || source[at - 1] == ',';
    char* end = nullptr;
    const double percent = std::strtod(source.c_str() + at + kStandardError.size(), &end);
    while (*end == ' ') ++end;
    if (is_word && percent > 0 && *end == '%') return percent / 100;
  }
  const auto known = table.find(provenance.kind);
  return known == table.end() ? 0 : known->second;
}

WhatIf ask_what_if(const Workload& workload, const Setting& setting, chip::Fidelity fidelity,
                   const UncertaintyTable& table) {
  const TimeOf time_of = closed_form_of(workload, setting, fidelity);
  const Seconds base = time_of(setting.hardware);
  Sensitivity sensitivity(setting.documents, setting.hardware, base, time_of);
  WhatIf answer;
  double variance = 0;
  for (const Elasticity& e : sensitivity.find_elasticities(kLeastEffect)) {
    const spec::Provenance& provenance = setting.hardware.provenance.at(e.parameter);
    const ParameterFacts facts{.parameter = e.parameter,
                               .value = provenance.text,
                               .kind = provenance.kind,
                               .source = provenance.source,
                               .elasticity = e.value,
                               .uncertainty = uncertainty_of(provenance, table)};
    variance += facts.effect() * facts.effect();
    if (facts.effect() >= kLeastEffect) answer.doubts.push_back(facts);
    if (std::abs(e.value) >= kLeastElasticity) answer.elasticities.push_back(facts);
    if (std::abs(e.value) >= kWorthTrying) answer.halved_by.push_back(find_half(sensitivity, facts, base));
  }
  answer.doubt = std::sqrt(variance);
  std::stable_sort(answer.doubts.begin(), answer.doubts.end(),
                   [](const ParameterFacts& a, const ParameterFacts& b) { return a.effect() > b.effect(); });
  const auto distance = [](const HalvedBy& h) { return h.factor ? std::abs(std::log(*h.factor)) : 10 + h.best; };
  std::stable_sort(answer.halved_by.begin(), answer.halved_by.end(),
                   [&](const HalvedBy& a, const HalvedBy& b) { return distance(a) < distance(b); });
  return answer;
}

}  // namespace mlosim::predict
