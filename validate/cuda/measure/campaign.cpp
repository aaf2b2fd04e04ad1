#include "validate/cuda/measure/campaign.hpp"

#include <algorithm>

#include "validate/cuda/measure/listing.hpp"
#include "validate/cuda/measure/schedule.hpp"

namespace mlosim::measure {
namespace {

// What stands on the terminal while a state is measured, and is wiped for any other line.
class Progress {
 public:
  explicit Progress(const Campaign& campaign) : campaign_(campaign) {}
  ~Progress() { wipe(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t number, std::size_t count, const Work& work, Seconds left) {
    if (!campaign_.is_terminal) return;
    wipe();
    *campaign_.messages << '[' << number << '/' << count << "] " << work.name() << ", about " << render_time(left)
                        << " left" << std::flush;
    shown_ = true;
  }

  void say(const std::string& line) {
    wipe();
    *campaign_.messages << line << std::endl;
  }

 private:
  void wipe() {
    if (shown_) *campaign_.messages << "\r\033[K" << std::flush;
    shown_ = false;
  }

  const Campaign& campaign_;
  bool shown_ = false;
};

void take(const Outcome& outcome, const Campaign& campaign, const Work& work, ResultFile& results, Progress& progress,
          CampaignEnd& end) {
  if (const auto* skip = std::get_if<Skip>(&outcome)) {
    ++end.state.skipped;
    progress.say("skipped: " + work.name() + ": " + skip->reason);
  } else if (const auto* failure = std::get_if<Failure>(&outcome)) {
    ++end.state.failed;
    end.fatal = failure->fatal;
    progress.say("failed: " + work.name() + ": " + failure->message);
  } else {
    const auto& measured = std::get<Measured>(outcome);
    results.append(make_row(campaign, work, measured));
    ++end.state.rows;
    if (measured.wrong.empty()) return;
    ++end.state.wrong;
    progress.say("wrong result: " + work.name() + ": " + measured.wrong);
  }
}

void run_works(const Campaign& campaign, const std::vector<Work>& works, ResultFile& results, CampaignEnd& end) {
  Progress progress(campaign);
  Seconds left = total_estimate(works);
  for (std::size_t i = 0; i < works.size() && !end.fatal; ++i) {
    if (campaign.is_interrupted()) {
      end.interrupted = true;
      return;
    }
    const Work& work = works[i];
    if (results.contains(campaign.device, work.plan.identity)) {
      ++end.present;
    } else if (campaign.budget && campaign.elapsed() + work.estimate > *campaign.budget) {
      ++end.beyond_budget;
    } else {
      const Seconds most = campaign.budget ? *campaign.budget - campaign.elapsed() : left;
      progress.show(i + 1, works.size(), work, std::min(left, most));
      take(campaign.measure(work), campaign, work, results, progress, end);
    }
    left -= work.estimate;
  }
}

}  // namespace

Cells make_row(const Campaign& campaign, const Work& work, const Measured& measured) {
  Cells row = {{"device", campaign.device}};
  for (const Cell& cell : work.plan.identity) row.push_back(cell);
  for (const Cell& cell : measured.results) row.push_back(cell);
  row.push_back(number_cell("time_us", measured.time.median.count() * 1e6));
  if (measured.power_w) row.push_back(number_cell("power_w", *measured.power_w));
  if (!measured.wrong.empty()) row.push_back({"flag", "wrong_result"});
  row.push_back({"software", campaign.software + (measured.library.empty() ? "" : ", " + measured.library)});
  row.push_back({"source", "mlosim-measure"});
  row.push_back(integer_cell("samples", measured.time.samples));
  row.push_back(number_cell("spread", measured.time.spread, 3));
  if (measured.clock_mhz) row.push_back(number_cell("clock_mhz", *measured.clock_mhz));
  return row;
}

CampaignEnd run_campaign(const Campaign& campaign, const std::vector<Work>& works, ResultFile& results,
                         const Sidecar& sidecar) {
  CampaignEnd end;
  sidecar.write(end.state);
  try {
    run_works(campaign, works, results, end);
  } catch (...) {
    end.state.wall = campaign.elapsed();
    sidecar.write(end.state);
    throw;
  }
  end.state.finished = !end.interrupted && !end.fatal;
  end.state.wall = campaign.elapsed();
  sidecar.write(end.state);
  return end;
}

}  // namespace mlosim::measure
