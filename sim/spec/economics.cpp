#include "sim/spec/economics.hpp"

#include "sim/units/check.hpp"

namespace mlosim::spec {

std::string_view name_of(CostBasis basis) {
  switch (basis) {
    case CostBasis::rent:
      return "rent";
    case CostBasis::own:
      return "own";
  }
  MLOSIM_CHECK(false);
}

EconomicsChoice EconomicsChoice::over(const EconomicsChoice& below) const {
  const auto either = [](const auto& own, const auto& other) { return own ? own : other; };
  return {.basis = either(basis, below.basis),
          .price = either(price, below.price),
          .capital = either(capital, below.capital),
          .surcharge = either(surcharge, below.surcharge),
          .lifetime = either(lifetime, below.lifetime),
          .utilisation = either(utilisation, below.utilisation),
          .electricity = either(electricity, below.electricity),
          .pue = either(pue, below.pue),
          .carbon_g_per_kwh = either(carbon_g_per_kwh, below.carbon_g_per_kwh)};
}

EconomicsChoice decode_economics(Node node) {
  EconomicsChoice choice;
  if (!node.is_present()) return choice;
  if (node.has("basis"))
    choice.basis = node.require_word<CostBasis>("basis", {{"rent", CostBasis::rent}, {"own", CostBasis::own}});
  if (node.has("price")) choice.price = node.require<DollarsPerSecond>("price", Range::non_negative);
  if (node.has("capital")) choice.capital = node.require<Dollars>("capital", Range::non_negative);
  if (node.has("surcharge")) choice.surcharge = node.require_number("surcharge", Range::non_negative);
  if (node.has("lifetime")) choice.lifetime = node.require<Seconds>("lifetime");
  if (node.has("utilisation")) choice.utilisation = node.require_number("utilisation", Range::fraction);
  if (node.has("electricity")) choice.electricity = node.require<DollarsPerJoule>("electricity", Range::non_negative);
  if (node.has("pue")) {
    choice.pue = node.require_number("pue");
    if (*choice.pue < 1) node.fail_at("pue", "a facility draws no less than its computers do", "1, or more");
  }
  if (node.has("carbon_g_per_kwh"))
    choice.carbon_g_per_kwh = node.require_number("carbon_g_per_kwh", Range::non_negative);
  node.finish();
  return choice;
}

}  // namespace mlosim::spec
