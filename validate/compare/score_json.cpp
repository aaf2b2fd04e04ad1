#include "validate/compare/score_json.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace mlosim::compare {

nlohmann::ordered_json score_json(const Score& s) {
  using Json = nlohmann::ordered_json;
  const auto of_rows = [](std::size_t rows, double figure) { return rows > 0 ? Json(figure) : Json(); };
  return {{"rows", s.rows},
          {"mape", of_rows(s.rows, s.mape)},
          {"median_ape", of_rows(s.rows, s.median_ape)},
          {"p90_ape", of_rows(s.rows, s.p90_ape)},
          {"bias", of_rows(s.rows, s.bias)},
          {"interval_coverage", of_rows(s.interval_rows, s.interval_coverage)},
          {"baseline_mape",
           {{"roofline", of_rows(s.baseline_rows, s.roofline_mape)},
            {"three_constants", of_rows(s.baseline_rows, s.three_constants_mape)}}}};
}

}  // namespace mlosim::compare
