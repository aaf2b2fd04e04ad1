// mlosim calibrate SUITE… --chip C: fits a chip's free parameters to measurements.

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cmath>
#include <csignal>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/spec/diagnostics.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/word_option.hpp"
#include "validate/calibrate/calibrate.hpp"
#include "validate/calibrate/edit.hpp"
#include "validate/calibrate/overlay.hpp"
#include "validate/calibrate/render.hpp"
#include "validate/calibrate/transfer.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json };

struct Options {
  std::vector<std::string> suites;
  calibrate::Options calibrate;
  Format format = Format::text;
  std::optional<std::string> write;
  bool in_place = false;
  calibrate::Destination destination = calibrate::Destination::chip;
  std::optional<std::string> leave_out;
};

// Set by the interrupt: the fit ends after its step, with the best so far.
volatile std::sig_atomic_t interrupted = 0;

constexpr std::size_t kFewestRows = 50;  // of a chip that takes part where one is left out

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

int run_leave_out(const Options& options, const spec::Library& library) {
  const calibrate::Measurements measurements(library, options.suites);
  std::vector<std::string> chips;
  if (*options.leave_out != "all") chips.push_back(*options.leave_out);
  const calibrate::Transfer transfer =
      calibrate::leave_out(library, measurements, options.calibrate, chips, kFewestRows);
  std::cout << (options.format == Format::json ? calibrate::render_json(transfer) : calibrate::render_text(transfer));
  return kDone;
}

std::vector<std::string> files_of(const std::vector<std::string>& suites, const spec::Library& library) {
  std::vector<std::string> files;
  for (const std::string& suite : suites) files.push_back(library.require(spec::Shelf::suites, suite));
  return files;
}

int run_fit(const Options& options, const spec::Library& library) {
  if (options.calibrate.rows.chips.empty()) {
    throw spec::InputError("no chip is named", "--chip C fits one; --leave-out all fits each by the others");
  }
  if (options.write) check_destination(*options.write, files_of(options.suites, library));
  const calibrate::Measurements measurements(library, options.suites);
  const calibrate::Calibration calibration = calibrate::calibrate(library, measurements, options.calibrate);
  const std::vector<calibrate::Entry> entries = calibrate::entries_of(calibration, today());
  const std::string overlay = calibrate::render_overlay(calibration, entries);
  // Everything that can fail comes before the first file is written.
  std::vector<calibrate::EditedFile> files;
  if (options.in_place && !entries.empty())
    files = calibrate::edited_files(library, calibration, entries, options.destination);
  if (options.write) files.push_back({*options.write, overlay});
  for (const calibrate::EditedFile& file : files) check_destination(file.path);
  for (const calibrate::EditedFile& file : files) {
    write_file(file.path, file.text);
    std::cerr << "wrote " << file.path << '\n';
  }
  if (options.in_place && entries.empty()) std::cerr << "no number changed: no file is edited\n";
  if (options.format == Format::json) {
    std::cout << calibrate::render_json(calibration);
    return kDone;
  }
  std::cout << calibrate::render_text(calibration);
  if (!options.write && !options.in_place && !entries.empty()) std::cout << '\n' << overlay;
  return kDone;
}

int run_calibrate(Options options, const spec::Library& library) {
  const auto start = std::chrono::steady_clock::now();
  std::signal(SIGINT, [](int) { interrupted = 1; });
  options.calibrate.fit.stop = [] { return interrupted != 0; };
  if (isatty(STDERR_FILENO)) options.calibrate.progress = [](const std::string& line) { std::cerr << line << '\n'; };
  const int code = options.leave_out ? run_leave_out(options, library) : run_fit(options, library);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cerr << "took " << std::lround(took.count()) << " s\n";
  return code;
}

}  // namespace

Run add_calibrate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  calibrate::Options& o = options->calibrate;
  CLI::App* command =
      app.add_subcommand("calibrate", "Fit a chip's free parameters to tables of measured kernel times");
  command->add_option("suite", options->suites, "CSV tables of kernel times, or names")->required();
  CLI::Option* chip =
      command->add_option("--chip", o.rows.chips, "whose rows are fitted; chips of one family")->delimiter(',');
  command->add_option("--runtime", o.rows.runtime, "fit this runtime's kernels, on their rows alone");
  command->add_option("--operators", o.rows.operators, "rows of these operators alone, such as gemm,moe_gemm")
      ->delimiter(',');
  command->add_option("--dtype", o.rows.dtypes, "rows of these formats alone, such as bf16,fp16")->delimiter(',');
  command->add_option("--software", o.rows.software, "rows of software that matches, such as 'trtllm *,!* mla_gen_*'")
      ->delimiter(',');
  command->add_option("--parameters", o.parameters, "fit only what matches, such as 'gemm.*'")->delimiter(',');
  add_word_option<chip::Fidelity>(
      *command, "--fidelity", o.fidelity, {{"analytic", chip::Fidelity::analytic}, {"event", chip::Fidelity::event}},
      "whose errors are made small: the closed form's, or those of kernels played tile by tile")
      ->default_str("analytic");
  command->add_flag("--all-rows", o.all_rows, "fit all rows and hold none out");
  command->add_option("--starts", o.starts, "how many points to start from")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  command->add_option("--most-rows", o.most_rows, "rows that a step prices, at most")
      ->capture_default_str()
      ->check(CLI::Range(20, 1000000));
  command->add_option("--iterations", o.fit.most_iterations, "of one fit, at most")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  CLI::Option* write = command->add_option("--write", options->write, "write the numbers found to this file, as YAML");
  CLI::Option* in_place = command->add_flag(
      "--in-place", options->in_place, "put the numbers found into the chip's file, or the runtime's with --runtime");
  command
      ->add_flag_callback(
          "--family", [options] { options->destination = calibrate::Destination::family; },
          "with --in-place: into the file that each stands in, the family's where the chip has none of its own")
      ->needs(in_place);
  command
      ->add_option("--leave-out", options->leave_out,
                   "predict this chip, or each of 'all', by the numbers fitted on the other chips of the suites")
      ->excludes(chip)
      ->excludes(write)
      ->excludes(in_place);
  add_word_option<Format>(*command, "--format", options->format, {{"text", Format::text}, {"json", Format::json}},
                          "text or json")
      ->default_str("text");
  return [options](const spec::Library& library) { return run_calibrate(*options, library); };
}

}  // namespace mlosim::cli
