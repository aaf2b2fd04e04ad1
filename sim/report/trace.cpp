#include "sim/report/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace mlosim::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kPhaseThread = 0;  // above the streams

double microseconds_of(event::Span span) { return static_cast<double>(span.ps()) * 1e-6; }

Json metadata(const char* what, int thread, const std::string& name, std::uint32_t process = 0) {
  return {{"ph", "M"}, {"pid", process}, {"tid", thread}, {"name", what}, {"args", {{"name", name}}}};
}

}  // namespace

void TraceWriter::add(const std::string& phase, const machine::Program& program,
                      const std::vector<machine::TaskFact>& facts, event::Span makespan, double stretch) {
  if (streams_.empty()) {
    for (const machine::Stream& stream : program.streams) streams_.push_back(stream.name);
  }
  const double offset = offset_us_;
  phases_.push_back({phase, "phase", "", "", offset, stretch * microseconds_of(makespan), 0});
  for (const machine::TaskFact& fact : facts) {
    const machine::Task& task = program.tasks[fact.task];
    slices_.push_back({program.ops[task.op].name, std::string(work::name_of(program.ops[task.op].op)),
                       std::string(chip::name_of(fact.price->bound_by)), fact.price->detail,
                       offset + stretch * microseconds_of(fact.start - event::Time()),
                       stretch * microseconds_of(fact.end - fact.start), task.stream});
  }
  offset_us_ += stretch * microseconds_of(makespan);
}

void TraceWriter::add_ranks(const std::string& title, std::vector<RankSlice> slices) {
  ranks_title_ = title;
  ranks_ = std::move(slices);
}

std::string TraceWriter::render(std::int64_t chips) const {
  Json events = Json::array();
  const std::string title = chips == 1 ? "chip 0" : fmt::format("chip 0 (one of {} alike)", chips);
  events.push_back(metadata("process_name", kPhaseThread, title));
  events.push_back(metadata("thread_name", kPhaseThread, "step"));
  for (std::size_t i = 0; i < streams_.size(); ++i)
    events.push_back(metadata("thread_name", static_cast<int>(i) + 1, streams_[i]));
  for (const Slice& phase : phases_) {
    events.push_back({{"ph", "X"},
                      {"pid", 0},
                      {"tid", kPhaseThread},
                      {"name", phase.name},
                      {"cat", phase.category},
                      {"ts", phase.start_us},
                      {"dur", phase.duration_us}});
  }
  for (const Slice& slice : slices_) {
    events.push_back({{"ph", "X"},
                      {"pid", 0},
                      {"tid", static_cast<int>(slice.stream) + 1},
                      {"name", slice.name},
                      {"cat", slice.category},
                      {"ts", slice.start_us},
                      {"dur", slice.duration_us},
                      {"args", {{"bound", slice.limiter}, {"plan", slice.detail}}}});
  }
  std::uint32_t processes = 1;
  for (const RankSlice& slice : ranks_) processes = std::max(processes, slice.rank + 2);
  for (std::uint32_t process = 1; process < processes; ++process)
    events.push_back(metadata("process_name", 0, fmt::format("{} {}", ranks_title_, process - 1), process));
  for (const RankSlice& slice : ranks_) {
    events.push_back({{"ph", "X"},
                      {"pid", slice.rank + 1},
                      {"tid", 0},
                      {"name", slice.name},
                      {"cat", slice.category},
                      {"ts", microseconds_of(slice.start - event::Time())},
                      {"dur", microseconds_of(slice.end - slice.start)}});
  }
  return Json{{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}}.dump(-1, ' ', false,
                                                                                  Json::error_handler_t::replace) +
         "\n";
}

}  // namespace mlosim::report
