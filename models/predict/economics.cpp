#include "models/predict/economics.hpp"

#include "models/predict/table_files.hpp"

namespace mlosim::predict {
namespace {

constexpr double kJoulesPerKilowattHour = 3.6e6;

std::optional<Bill> bill_of(const Evaluation& e, const spec::ChipSpec& chip, const spec::EconomicsChoice& choice,
                            const std::optional<Joules>& facility) {
  const std::optional<DollarsPerSecond> price = choice.price ? choice.price : chip.price;
  const std::optional<Dollars> capital = choice.capital ? choice.capital : chip.capital;
  const Seconds chip_time = e.total.makespan * static_cast<double>(e.chips);
  const spec::CostBasis basis = choice.basis.value_or(price ? spec::CostBasis::rent : spec::CostBasis::own);
  if (basis == spec::CostBasis::rent) {
    if (!price) return std::nullopt;
    return Bill{.basis = basis, .chips = *price * chip_time, .electricity = {}};
  }
  const bool is_known = capital && choice.surcharge && choice.lifetime && choice.utilisation && choice.electricity;
  if (!is_known || !facility) return std::nullopt;
  const Dollars bought = *capital * (1 + *choice.surcharge);
  return Bill{.basis = basis,
              .chips = bought * (chip_time / (*choice.lifetime * *choice.utilisation)),
              .electricity = *facility * *choice.electricity};
}

}  // namespace

spec::EconomicsChoice decode_economics_file(spec::Node node) {
  node.expect_schema("mlosim/economics/1");
  node.require_text("name");
  node.text_or("description", "");
  return spec::decode_economics(std::move(node));
}

spec::EconomicsChoice read_economics(const spec::Library& library) {
  const auto file = library.find_file(kEconomicsFile);
  if (!file) return {};
  const spec::Value document = spec::read_document(*file);
  spec::Decoding decoding{.keeps_provenance = false};
  spec::EconomicsChoice choice = decode_economics_file(spec::Node(&document, "economics", &decoding));
  decoding.diagnostics.throw_if_any();
  return choice;
}

Economics estimate_economics(const Evaluation& e, const spec::SystemSpec& system, const spec::EconomicsChoice& choice) {
  const double chips = static_cast<double>(e.chips);
  Economics economics;
  economics.links = chips * (e.total.energy_parts.fabric + e.total.energy_parts.scale_out);
  if (system.node)
    economics.host = system.node->power * e.total.makespan * (chips / static_cast<double>(system.node->chips));
  if (choice.pue) economics.facility = *choice.pue * (chips * e.total.energy + economics.links + economics.host);
  if (economics.facility && choice.carbon_g_per_kwh)
    economics.carbon_g = economics.facility->si() / kJoulesPerKilowattHour * *choice.carbon_g_per_kwh;
  economics.bill = bill_of(e, system.chip, choice, economics.facility);
  if (e.tokens <= 0) return economics;
  if (economics.facility) economics.tokens_per_joule = e.tokens / economics.facility->si();
  if (economics.bill) {
    economics.per_million_tokens = economics.bill->total() * (1e6 / e.tokens);
    if (e.goodput) economics.per_million_useful_tokens = *economics.per_million_tokens / e.goodput->useful;
  }
  return economics;
}

}  // namespace mlosim::predict
