#include "models/predict/silicon.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/spec/spelling.hpp"

namespace mlosim::predict {
namespace {

constexpr double kMib = 1024.0 * 1024.0;

template <class T>
const T& require(const std::map<std::string, T>& known, const std::string& name, std::string_view what) {
  if (const auto found = known.find(name); found != known.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [each, value] : known) names.push_back(each);
  throw spec::InputError(fmt::format("hw_specs/silicon.yaml has no {} '{}'", what, name),
                         spec::spelling_hint(name, names));
}

// Dies that lie whole on the wafer.
double dies_per_wafer(double die_mm2, double wafer_mm) {
  using std::numbers::pi;
  return std::max(1.0, pi * wafer_mm * wafer_mm / 4 / die_mm2 - pi * wafer_mm / std::sqrt(2 * die_mm2));
}

// That at most `spare` of the units on `unit_mm2` have a defect (Poisson).
double chance_of_enough(double unit_mm2, double defects_per_cm2, std::int64_t spare) {
  const double mean = unit_mm2 / 100 * defects_per_cm2;
  double term = std::exp(-mean), sum = term;
  for (std::int64_t k = 1; k <= spare; ++k) sum += term *= mean / static_cast<double>(k);
  return sum;
}

class Estimator {
 public:
  Estimator(const spec::ChipSpec& chip, const SiliconTable& table)
      : chip_(chip),
        built_(*chip.silicon),
        t_(table),
        process_(require(table.processes, built_.process, "process")),
        memory_(require(table.memories, built_.memory, "memory")) {}

  SiliconEstimate run() {
    const bool is_split = built_.io.has_value();
    const double units = unit_logic() + unit_sram();
    const double shared = shared_sram(false) * process_.sram_mm2_per_mib;
    const double interfaces = is_split ? 0 : interface_mm2();
    const double overhead = is_split ? t_.compute_die_overhead : t_.overhead;
    const double compute = (units + shared + interfaces) * (1 + overhead);
    add("overhead of compute dies", (units + shared + interfaces) * overhead);
    const double dies = static_cast<double>(built_.dies);
    const double die = compute / dies;
    e_.area_mm2 = compute;
    e_.largest_die_mm2 = die;
    const double unit_share = units * (1 + overhead) / dies;
    e_.yield = yield_of(die - unit_share, process_) *
               chance_of_enough(unit_share, process_.defects_per_cm2, built_.spare_units / built_.dies);
    e_.dies = dies * process_.wafer / (dies_per_wafer(die, t_.wafer_mm) * e_.yield);
    add("shared SRAM", shared);
    if (is_split) add_io_dies();
    e_.area_error = t_.area_error;
    e_.exceeds_reticle = e_.largest_die_mm2 * (1 - t_.area_error) > t_.reticle_mm2;
    add_package();
    e_.published_area_mm2 = built_.published_area_mm2;
    std::stable_sort(e_.parts.begin(), e_.parts.end(),
                     [](const AreaPart& a, const AreaPart& b) { return a.mm2 > b.mm2; });
    return std::move(e_);
  }

 private:
  void add(std::string name, double mm2) {
    if (mm2 > 0) e_.parts.push_back({std::move(name), mm2});
  }

  // Formats of 8 and 4 bits share the multipliers of those of 16.
  Flops widest_matrix() const {
    Flops widest;
    for (const work::DType dtype : {work::DType::bf16, work::DType::fp16}) {
      if (const auto rate = chip_.matrix.find(dtype); rate != chip_.matrix.end())
        widest = std::max(widest, rate->second);
    }
    return widest;
  }

  double built_units() const { return static_cast<double>(chip_.units + built_.spare_units); }

  double unit_logic() {
    const LogicArea& logic = chip_.kind == spec::ChipKind::simt ? t_.simt : t_.systolic;
    const double scale = built_units() * process_.logic / 1000;
    const double matrix = scale * logic.matrix_mm2 * widest_matrix().si();
    const double vector = scale * logic.vector_mm2 * chip_.vector.si();
    add("matrix units", matrix);
    add("vector units", vector);
    return matrix + vector;
  }

  double unit_sram() {
    Bytes own = built_.registers;
    for (const spec::MemoryLevel& level : chip_.levels) {
      if (level.sharing == spec::Sharing::unit) own += level.capacity;
    }
    const double mm2 = built_units() * own.si() / kMib * process_.sram_mm2_per_mib;
    add("SRAM of units", mm2);
    return mm2;
  }

  bool is_on_io_die(const std::string& level) const {
    return built_.io && std::find(built_.io->levels.begin(), built_.io->levels.end(), level) != built_.io->levels.end();
  }

  // MiB of the levels that all units share, on the compute dies or on the others.
  double shared_sram(bool on_io_dies) const {
    Bytes sum;
    for (const spec::MemoryLevel& level : chip_.levels) {
      const bool is_sram = level.sharing == spec::Sharing::chip && level.policy != spec::Policy::memory;
      if (is_sram && is_on_io_die(level.name) == on_io_dies) sum += level.capacity;
    }
    return sum.si() / kMib;
  }

  double interface_mm2() {
    const double memory = static_cast<double>(built_.interfaces) * memory_.interface_mm2;
    const double links = built_.links.si() / 1e9 * t_.link_mm2_per_gb_per_s;
    add("memory interfaces", memory);
    add("links", links);
    add("host interface", t_.host_mm2);
    return memory + links + t_.host_mm2;
  }

  void add_io_dies() {
    const Process& process = require(t_.processes, built_.io->process, "process");
    const double count = static_cast<double>(built_.io->count);
    const double sram = shared_sram(true) * process.sram_mm2_per_mib;
    const double network = count * t_.io_die_network_mm2;
    add("SRAM of I/O dies", sram);
    add("network of I/O dies", network);
    const double inside = sram + network + interface_mm2();
    add("overhead of I/O dies", inside * t_.overhead);
    const double area = inside * (1 + t_.overhead);
    e_.area_mm2 += area;
    e_.largest_die_mm2 = std::max(e_.largest_die_mm2, area / count);
    e_.dies += count * process.wafer / (dies_per_wafer(area / count, t_.wafer_mm) * yield_of(area / count, process));
  }

  double yield_of(double mm2, const Process& process) const {
    return std::pow(1 + mm2 / 100 * process.defects_per_cm2 / t_.clustering, -t_.clustering);
  }

  void add_package() {
    e_.memory = chip_.device_memory().capacity * memory_.cost;
    const double stacks = static_cast<double>(built_.interfaces) * memory_.package_mm2;
    const bool has_interposer = stacks > 0 || built_.dies > 1;
    e_.packaging = t_.package;
    if (has_interposer) e_.packaging += Dollars(t_.package_usd_per_mm2 * (e_.area_mm2 + stacks));
    // What is lost in assembly takes dies and memory with it.
    e_.packaging += e_.total() * (1 / t_.assembly_yield - 1);
  }

  const spec::ChipSpec& chip_;
  const spec::SiliconSpec& built_;
  const SiliconTable& t_;
  const Process& process_;
  const MemoryKind& memory_;
  SiliconEstimate e_;
};

}  // namespace

std::optional<SiliconEstimate> estimate_silicon(const spec::ChipSpec& chip, const SiliconTable& table) {
  if (!chip.silicon) return std::nullopt;
  return Estimator(chip, table).run();
}

std::string render_silicon(const SiliconEstimate& e, const std::string& prefix) {
  std::string out =
      fmt::format("{}area {:.0f} mm2 of dies, give or take {:.0f} %", prefix, e.area_mm2, 100 * e.area_error);
  if (e.published_area_mm2)
    out += fmt::format(" (published: {:.0f}, {:+.0f} %)", *e.published_area_mm2,
                       100 * (e.area_mm2 / *e.published_area_mm2 - 1));
  out += fmt::format("; largest die {:.0f} mm2{}, yield {:.0f} %\n", e.largest_die_mm2,
                     e.exceeds_reticle ? ", LARGER THAN A RETICLE" : "", 100 * e.yield);
  for (const AreaPart& part : e.parts)
    out += fmt::format("{}  {:<26}{:>7.0f} mm2 {:>6.1f} %\n", prefix, part.name, part.mm2, 100 * part.mm2 / e.area_mm2);
  return out + fmt::format("{}made for {:.0f} USD: dies {:.0f}, memory {:.0f}, package and assembly {:.0f}\n", prefix,
                           e.total().si(), e.dies.si(), e.memory.si(), e.packaging.si());
}

}  // namespace mlosim::predict
