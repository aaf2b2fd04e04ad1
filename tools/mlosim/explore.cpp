// mlosim explore STUDY: design-space exploration, on one machine or, under mpirun, on many.

#include "models/explore/explore.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include "models/explore/foreman.hpp"
#include "models/explore/render_html.hpp"
#include "models/explore/render_result.hpp"
#include "tools/mlosim/commands.hpp"
#include "tools/mlosim/output.hpp"
#include "tools/mlosim/progress_line.hpp"
#include "tools/mlosim/word_option.hpp"
#include "tools/report/pages.hpp"

namespace mlosim::cli {
namespace {

enum class Format { text, json, csv };

struct Options {
  std::string study, store, points, html;
  bool resumes = false;
  int jobs = 0;  // 0: as many as there are cores
  Format format = Format::text;
};

constexpr int kMostJobs = 1024;

// Set by a signal handler, which can reach nothing else.
volatile std::sig_atomic_t interrupted = 0;

extern "C" void note_interrupt(int signal) {
  interrupted = signal;
  std::signal(signal, SIG_DFL);  // a second one ends at once; the store bears that, too
}

int cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

int jobs_of(const Options& options) { return options.jobs > 0 ? options.jobs : cores(); }

std::string store_of(const Options& options, const explore::Study& study) {
  if (!options.store.empty()) return options.store;
  if (spec::is_path(options.study) && options.study != "-")
    return std::filesystem::path(options.study).stem().string() + ".study";
  if (options.study != "-") return options.study + ".study";
  const bool is_file_name = !study.name.empty() && study.name.find('/') == std::string::npos;
  if (!is_file_name)
    throw spec::InputError(fmt::format("the study's name '{}' is none of a file, to keep its results in", study.name),
                           "name one with --store");
  return study.name + ".study";
}

std::string render(const explore::Result& result, Format format) {
  switch (format) {
    case Format::text:
      return explore::render_text(result);
    case Format::json:
      return explore::render_json(result);
    case Format::csv:
      return explore::render_csv_front(result);
  }
  return "";
}

// Ends MPI where everybody is still there. Where somebody is lost nothing waits for them: the process ends here.
void leave(explore::Wire& wire, bool all_are_there, int code) {
  if (all_are_there) return wire.close();
  if (wire.rank() == 0) std::cerr << "warning: a process of the study was lost; its points were evaluated by others\n";
  std::cout.flush();
  std::_Exit(code);
}

int lead(const Options& options, const explore::Blueprint& blueprint, const std::string& store, explore::Wire* wire) {
  const std::optional<report_pages::PageAssets> page = report_pages::study_page();
  if (!options.html.empty() && !page) {
    throw spec::InputError("this mlosim was built without pages: npm gave no plotting library",
                           "configure the build again where npm reaches its registry");
  }
  check_destinations({{"--store", store}, {"--points", options.points}, {"--html", options.html}}, {options.study});
  ProgressLine progress("points");
  std::signal(SIGINT, note_interrupt);
  std::signal(SIGTERM, note_interrupt);
  const explore::Explored explored = explore::explore(blueprint, {.version = MLOSIM_VERSION,
                                                                  .store = store,
                                                                  .resumes = options.resumes,
                                                                  .jobs = jobs_of(options),
                                                                  .wire = wire,
                                                                  .progress = progress.listener(),
                                                                  .stops = [] { return interrupted != 0; }});
  progress.clear();
  if (!explored.result && explored.points_done == 0) {
    std::cerr << fmt::format("stopped before the first of {} points was done\n", explored.points);
    return 128 + static_cast<int>(interrupted);
  }
  if (!explored.result) {
    std::cerr << fmt::format("stopped after {} of {} points, which are kept in {}; --resume goes on from there\n",
                             explored.points_done, explored.points, store);
    return 128 + static_cast<int>(interrupted);
  }
  if (!options.points.empty()) write_file(options.points, explore::render_csv_points(*explored.result));
  if (!options.html.empty())
    write_file(options.html, explore::render_html(*explored.result, {.script = page->script, .style = page->style}));
  std::cout << render(*explored.result, options.format) << std::flush;
  if (explored.result->feasible > 0) return kDone;
  std::cerr << "no point of the study is feasible\n";
  return kAnswerIsNo;
}

int run_alone(const Options& options, const spec::Library& library, explore::Wire* wire) {
  explore::Study study = explore::read_study(library, options.study);
  const std::string store = store_of(options, study);
  std::vector<std::string> warnings;
  const explore::Blueprint blueprint = explore::draw_blueprint(library, std::move(study), warnings);
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << '\n';
  return lead(options, blueprint, store, wire);
}

// Rank 0 leads and says what is to be said; what is wrong with a study, the others find, too.
int run_together(const Options& options, const spec::Library& library, explore::Wire& wire) {
  int code = kDone;
  bool all_are_there = true;
  try {
    if (wire.rank() == 0) {
      code = run_alone(options, library, &wire);
    } else {
      std::signal(SIGINT, SIG_IGN);  // Ctrl-C reaches every process; the one that leads sends the others home
      std::vector<std::string> warnings;
      const explore::Blueprint blueprint =
          explore::draw_blueprint(library, explore::read_study(library, options.study), warnings);
      all_are_there = explore::assist(blueprint, wire, jobs_of(options));
    }
  } catch (const spec::InputError& error) {
    code = kWrongInput;
    if (wire.rank() == 0) std::cerr << error.what() << '\n';
    if (wire.rank() != 0) all_are_there = explore::wait_for_dismissal(wire);
  } catch (...) {  // a mistake of our own: nobody is left waiting for it
    if (wire.rank() == 0 && explore::dismiss(wire)) wire.close();
    throw;
  }
  if (wire.rank() == 0) all_are_there = explore::dismiss(wire);
  leave(wire, all_are_there, code);
  return code;
}

int run_explore(const Options& options, const spec::Library& library) {
  if (!explore::is_under_mpi()) return run_alone(options, library, nullptr);
  if (options.study == "-")
    throw spec::InputError("under MPI a study is read by every process, and standard input by one", "name a file");
  const std::unique_ptr<explore::Wire> wire = explore::open_wire();
  return run_together(options, library, *wire);
}

}  // namespace

Run add_explore(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "explore", "Search designs, layouts and settings for the best: a study of models/studies or a file");
  command->add_option("study", options->study, "a study file, a built-in study's name, or - for standard input")
      ->required();
  command->add_flag("--resume", options->resumes, "go on from what the store holds already");
  command->add_option("--store", options->store, "the file that holds what was evaluated (default: STUDY.study)");
  command->add_option("--points", options->points, "write every point that is kept to this CSV file");
  command->add_option("--html", options->html,
                      "write a page with the front, its points and their rooflines to this file");
  command->add_option("--jobs", options->jobs, "threads of this process (default: one for each core)")
      ->check(CLI::Range(1, kMostJobs));
  add_word_option<Format>(*command, "--format", options->format,
                          {{"text", Format::text}, {"json", Format::json}, {"csv", Format::csv}}, "text, json or csv")
      ->default_str("text");
  return [options](const spec::Library& library) { return run_explore(*options, library); };
}

}  // namespace mlosim::cli
