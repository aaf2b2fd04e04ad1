// What running chips costs besides time, as an `economics:` block says: hw_specs/economics.yaml for all, a system's and
// a workload's laid over it, field by field. What a workload comes to is models/predict/economics.
#pragma once

#include <optional>
#include <string_view>

#include "sim/spec/node.hpp"
#include "sim/units/quantity.hpp"

namespace mlosim::spec {

enum class CostBasis {
  rent,  // by the chip-hour: the price holds power, cooling and everything else
  own,   // capital over its lifetime, and electricity
};

std::string_view name_of(CostBasis basis);

using DollarsPerJoule = Quantity<Dim<0, 0, 0, -1, 1>>;

// What one layer says; what it leaves out is the layer's below.
struct EconomicsChoice {
  std::optional<CostBasis> basis;         // left out: rent where the chip has a price, else own
  std::optional<DollarsPerSecond> price;  // of a chip, rented
  std::optional<Dollars> capital;         // of a chip, bought
  std::optional<double> surcharge;        // node, network and building per dollar of chips
  std::optional<Seconds> lifetime;        // over which the capital is written off
  std::optional<double> utilisation;      // share of the lifetime in which the chip is at work
  std::optional<DollarsPerJoule> electricity;
  std::optional<double> pue;               // facility's power / that of its computers
  std::optional<double> carbon_g_per_kwh;  // of the electricity

  EconomicsChoice over(const EconomicsChoice& below) const;
};

// An absent node says nothing.
EconomicsChoice decode_economics(Node node);

}  // namespace mlosim::spec
