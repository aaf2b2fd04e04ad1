// What a workload draws and costs beyond its chips: the node around them, the facility, carbon, money. Pure arithmetic
// over an evaluation; the numbers come from hw_specs/economics.yaml, the system, the chip and the workload, in that
// order, each field by itself.
//
//   facility = (chips + links + node's power / its chips · time · chips) · pue
//   rent: price · time · chips
//   own:  capital · (1 + surcharge) / (lifetime · utilisation) · time · chips + facility · electricity
//
// Wrong where chips that wait draw power outside of the utilisation: that electricity is nobody's here.
#pragma once

#include <optional>

#include "models/predict/evaluate.hpp"
#include "sim/spec/economics.hpp"
#include "sim/spec/library.hpp"
#include "sim/spec/system_spec.hpp"

namespace mlosim::predict {

// The money of one run.
struct Bill {
  spec::CostBasis basis = spec::CostBasis::rent;
  Dollars chips;        // rent, or capital written off
  Dollars electricity;  // where they are owned

  Dollars total() const { return chips + electricity; }
};

struct Economics {
  Joules links;                                      // fabric and scale-out, of all chips' sends
  Joules host;                                       // of the nodes' share of these chips
  std::optional<Joules> facility;                    // with chips, links and cooling; none without a pue
  std::optional<double> carbon_g;                    // of the facility's energy
  std::optional<Bill> bill;                          // none without a price or capital
  std::optional<double> tokens_per_joule;            // of the facility's
  std::optional<Dollars> per_million_tokens;         // all of the run's time
  std::optional<Dollars> per_million_useful_tokens;  // without what failures and checkpoints waste
};

// What all machines have in common; nothing where the library has no hw_specs/economics.yaml. Throws spec::InputError.
spec::EconomicsChoice read_economics(const spec::Library& library);
spec::EconomicsChoice decode_economics_file(spec::Node node);

// `choice` is all layers over each other; the chip's own price and capital count where it says nothing.
Economics estimate_economics(const Evaluation& evaluation, const spec::SystemSpec& system,
                             const spec::EconomicsChoice& choice);

}  // namespace mlosim::predict
