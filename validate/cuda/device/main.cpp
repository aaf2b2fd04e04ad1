// mlosim-measure: lists, plans or measures, as the command line asks.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "validate/cuda/device/interruption.hpp"
#include "validate/cuda/device/measure_work.hpp"
#include "validate/cuda/device/open_gpu.hpp"
#include "validate/cuda/measure/arguments.hpp"
#include "validate/cuda/measure/campaign.hpp"
#include "validate/cuda/measure/listing.hpp"
#include "validate/cuda/measure/schedule.hpp"
#include "validate/cuda/measure/spelling.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

constexpr const char* kChipWithoutGpu = "h100_sxm";

struct Order {
  std::vector<Work> works;
  std::vector<LeftOut> left_out;
};

// All that is asked for and can be done, in order; the budget, of which a run takes what remains, only has to be enough
// for some of it.
Order plan_order(const std::vector<Case>& cases, const Arguments& arguments, const DeviceFacts& facts) {
  Selection selection = select_works(cases, arguments, facts);
  if (selection.works.empty()) {
    std::string hint;
    if (!selection.left_out.empty()) hint = selection.left_out[0].name + ": " + selection.left_out[0].reason;
    throw UsageError("nothing is left to measure", hint);
  }
  if (arguments.budget && std::none_of(selection.works.begin(), selection.works.end(),
                                       [&](const Work& work) { return work.estimate <= *arguments.budget; }))
    throw UsageError("no state fits a budget of " + render_time(*arguments.budget), "");
  return {balanced_order(std::move(selection.works), arguments.seed), std::move(selection.left_out)};
}

// What to plan by without touching a GPU.
DeviceFacts nominal(const Arguments& arguments) {
  const std::string chip = arguments.device_name.empty() ? kChipWithoutGpu : arguments.device_name;
  if (const std::optional<DeviceFacts> facts = nominal_facts(chip)) return *facts;
  throw UsageError("there is no GPU, and no figures of a chip '" + chip + "' to plan by",
                   spelling_hint(chip, known_chips()));
}

int print_plan(const std::vector<Case>& cases, const Arguments& arguments) {
  const DeviceFacts facts = has_gpu() ? OpenGpu(arguments).gpu().facts : nominal(arguments);
  Order order = plan_order(cases, arguments, facts);
  const std::size_t all = order.works.size();
  if (arguments.budget) order.works = within_budget(std::move(order.works), *arguments.budget);
  std::cout << render_plan(facts, order.works, order.left_out, all - order.works.size());
  return 0;
}

int report_end(const CampaignEnd& end, const ResultFile& results, const Sidecar& sidecar) {
  std::cerr << "wrote " << end.state.rows << " rows to " << results.path() << " (and " << sidecar.path() << ")";
  if (end.present > 0) std::cerr << "; " << end.present << " were there";
  if (end.state.skipped > 0) std::cerr << "; " << end.state.skipped << " skipped";
  if (end.state.failed > 0) std::cerr << "; " << end.state.failed << " failed";
  if (end.state.wrong > 0) std::cerr << "; " << end.state.wrong << " with wrong results, flagged";
  if (end.beyond_budget > 0) std::cerr << "; " << end.beyond_budget << " beyond the budget";
  std::cerr << "\n";
  if (end.interrupted) {
    std::cerr << "interrupted; --resume --output " << results.path() << " goes on\n";
    return 128 + interruption();
  }
  if (end.fatal) {
    std::cerr << "the GPU can do nothing more in this process; --resume goes on, --case leaves the failing case out\n";
    return 3;
  }
  return end.state.failed + end.state.wrong > 0 ? 1 : 0;
}

int measure(const std::vector<Case>& cases, const Arguments& arguments, std::chrono::steady_clock::time_point begin) {
  const OpenGpu gpu(arguments);
  const std::string& chip = gpu.gpu().facts.chip;
  const Order order = plan_order(cases, arguments, gpu.gpu().facts);
  const std::string output = arguments.output.empty() ? chip + ".csv" : arguments.output;
  const std::string beside = sidecar_path(output);
  const Sidecar sidecar(beside, read_text_file(beside), gpu.facts());
  ResultFile results(output, arguments.resume ? ResultFile::Mode::resume : ResultFile::Mode::create, csv_columns(cases),
                     key_columns(cases));
  if (!gpu.gpu().nvml->available()) std::cerr << gpu.gpu().nvml->absence() << "\n";
  std::cerr << "measuring " << order.works.size() << " states of " << chip << ", about "
            << render_time(total_estimate(order.works));
  if (arguments.budget) std::cerr << ", of which " << render_time(*arguments.budget) << " are taken";
  std::cerr << "\n";
  listen_for_interruption();
  const Campaign campaign{
      .device = chip,
      .software = gpu.software(),
      .budget = arguments.budget,
      .measure = [&](const Work& work) { return measure_work(work, gpu.gpu(), arguments.criterion); },
      .is_interrupted = [] { return interruption() != 0; },
      .elapsed = [begin] { return Seconds(std::chrono::steady_clock::now() - begin); },
      .messages = &std::cerr,
      .is_terminal = isatty(STDERR_FILENO) != 0,
  };
  return report_end(run_campaign(campaign, order.works, results, sidecar), results, sidecar);
}

int run(const std::vector<std::string>& words) {
  const auto begin = std::chrono::steady_clock::now();
  const Arguments arguments = parse_arguments(words);
  if (arguments.help) {
    std::cout << usage();
    return 0;
  }
  if (arguments.version) {
    std::cout << "mlosim-measure " << MEASURE_VERSION << "\n";
    return 0;
  }
  const std::vector<Case> cases = all_cases();
  for (const Case& one : cases)
    if (one.absent.empty() && all_benches().count(one.name) == 0)
      throw std::logic_error("the case " + one.name + " has no device half");
  if (arguments.list) {
    std::cout << render_list(cases);
    return 0;
  }
  check_names(cases, arguments);
  return arguments.dry_run ? print_plan(cases, arguments) : measure(cases, arguments, begin);
}

}  // namespace
}  // namespace mlosim::measure

int main(int argc, char** argv) {
  int code = 3;
  try {
    code = mlosim::measure::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const mlosim::measure::UsageError& error) {
    std::cerr << "mlosim-measure: " << error.what() << "\n";
    if (!error.hint().empty()) std::cerr << "  hint: " << error.hint() << "\n";
    code = 2;
  } catch (const std::exception& error) {
    std::cerr << "mlosim-measure: " << error.what() << "\n";
  }
  if (!std::cout.flush()) {
    std::cerr << "mlosim-measure: standard output cannot be written\n";
    code = 2;
  }
  return code;
}
