#include "models/predict/roofline_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/predict/explain.hpp"

namespace mlosim::predict {
namespace {

bool computes(const OperatorFacts& facts) {
  return facts.kernel && facts.kernel->roofline.intensity > 0 && facts.kernel->roofline.achieved > FlopsPerSecond(0);
}

std::vector<MemoryRoof> memory_roofs(const spec::ChipSpec& chip) {
  std::vector<MemoryRoof> roofs;
  for (const spec::MemoryLevel& level : chip.levels) {
    const double copies = level.sharing == spec::Sharing::unit ? static_cast<double>(chip.units) : 1;
    roofs.push_back({level.name, copies * level.bandwidth});
  }
  return roofs;
}

}  // namespace

RooflineChart build_roofline_chart(const std::string& title, const std::vector<OperatorFacts>& operators,
                                   const spec::ChipSpec& chip) {
  RooflineChart chart{.title = title, .memories = memory_roofs(chip), .rates = {}, .points = {}};
  std::set<work::DType> formats;
  for (const OperatorFacts& facts : operators) {
    if (!computes(facts)) continue;
    const RooflinePosition& r = facts.kernel->roofline;
    const work::OpWork& work = facts.kernel->price.work;
    if (work.matrix > work.vector) formats.insert(work.matrix_dtype);
    const std::string more = facts.names.size() > 1 ? fmt::format(" and {} more", facts.names.size() - 1) : "";
    chart.points.push_back(
        {.label = facts.names.front() + more, .intensity = r.intensity, .achieved = r.achieved, .share = facts.share});
  }
  for (const work::DType dtype : formats) {
    if (const auto rate = chip.matrix_rate(dtype, chip.clock))
      chart.rates.push_back({fmt::format("{} matrix", work::name_of(dtype)), *rate});
  }
  chart.rates.push_back({"fp32 vector", chip.vector_rate()});
  return chart;
}

}  // namespace mlosim::predict
