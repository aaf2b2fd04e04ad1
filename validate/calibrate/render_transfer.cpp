#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "validate/calibrate/transfer.hpp"
#include "validate/compare/score_json.hpp"

namespace mlosim::calibrate {

std::string render_text(const Transfer& transfer) {
  std::size_t width = 4;
  for (const LeftOut& left : transfer.chips) width = std::max(width, left.chip.size());
  std::string out = fmt::format(
      "Each chip by the numbers of the others: MAPE in %\n  {:<{}} {:>6} {:>9} {:>9} {:>12} {:>7} {:>6} {:>11}\n",
      "chip", width, "rows", "roofline", "3 const.", "transferred", "median", "bias", "its own fit");
  for (const LeftOut& left : transfer.chips) {
    const compare::Score& s = left.transferred;
    const std::string own = left.fitted.rows > 0 ? fmt::format("{:.1f}", 100 * left.fitted.mape) : "-";
    out += fmt::format("  {:<{}} {:>6} {:>9.1f} {:>9.1f} {:>12.1f} {:>7.1f} {:>+6.1f} {:>11}\n", left.chip, width,
                       s.rows, 100 * s.roofline_mape, 100 * s.three_constants_mape, 100 * s.mape, 100 * s.median_ape,
                       100 * s.bias, own);
  }
  out += "  3 const.: the best three constants of the other chips; its own fit: on the half of the shapes held out\n";
  for (const LeftOut& left : transfer.chips) {
    out += fmt::format("\n{}\n", left.chip);
    std::size_t longest = 0;
    for (const TransferredParameter& p : left.parameters) longest = std::max(longest, p.path.size());
    for (const TransferredParameter& p : left.parameters) {
      out += fmt::format("  {:<{}}  {:>14}  {}\n", p.path, longest, p.text,
                         p.donors.empty() ? "typical" : fmt::format("{}", fmt::join(p.donors, ", ")));
    }
    if (!left.kept.empty()) {
      out += fmt::format("  Not left out, for no free parameter stands for them: fitted numbers of its own\n    {}\n",
                         fmt::join(left.kept, "\n    "));
    }
  }
  return out;
}

std::string render_json(const Transfer& transfer) {
  using Json = nlohmann::ordered_json;
  Json chips = Json::array();
  for (const LeftOut& left : transfer.chips) {
    Json parameters = Json::array();
    for (const TransferredParameter& p : left.parameters)
      parameters.push_back({{"parameter", p.path}, {"value", p.text}, {"donors", p.donors}});
    Json chip{{"chip", left.chip}};
    chip.update(compare::score_json(left.transferred));
    chip["own_fit_mape"] = left.fitted.rows > 0 ? Json(left.fitted.mape) : Json();
    chip["parameters"] = parameters;
    chip["kept"] = left.kept;
    chips.push_back(std::move(chip));
  }
  return Json{{"schema", "mlosim/transfer/1"}, {"chips", chips}}.dump(1) + "\n";
}

}  // namespace mlosim::calibrate
