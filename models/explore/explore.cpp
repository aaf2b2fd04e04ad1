#include "models/explore/explore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "models/explore/chunk.hpp"
#include "models/explore/crew.hpp"
#include "models/explore/evolution.hpp"
#include "models/explore/foreman.hpp"
#include "models/explore/gather.hpp"
#include "models/explore/search_variables.hpp"
#include "models/explore/store.hpp"
#include "sim/units/check.hpp"

namespace mlosim::explore {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kLayoutsOfChunk = 4096;  // microseconds each
constexpr std::uint64_t kPointsOfChunk = 16;     // milliseconds each
constexpr std::uint64_t kChunksOfSmallStudy = 64;
constexpr std::chrono::milliseconds kBetweenCommits(200);

// Of a study and nothing else: whoever runs it cuts it the same way.
std::uint64_t chunk_size(const Blueprint& b, const Space& space) {
  if (b.study.search.method == Method::nsga2) return std::min<std::uint64_t>(kPointsOfChunk, b.study.search.population);
  if (shares_layouts(b)) return kLayoutsOfChunk;
  return std::clamp<std::uint64_t>(space.size() / kChunksOfSmallStudy, 1, kPointsOfChunk);
}

// Of a study that can be run: what cannot is found before a store is opened.
Space space_of(const Blueprint& b) {
  Space space(b);
  shows_all(b, space);
  return space;
}

// Thrown through the search, which knows no other way to end early.
struct Stopped {};

class Run {
 public:
  Run(const Blueprint& blueprint, const ExploreOptions& options)
      : b_(blueprint),
        options_(options),
        space_(space_of(blueprint)),
        size_(chunk_size(blueprint, space_)),
        store_(options.store,
               {.version = options.version, .study = blueprint.study.name, .fingerprint = blueprint.fingerprint},
               options.resumes),
        stored_(store_.chunks()),
        crew_(blueprint, space_, options.jobs),
        foreman_(crew_, options.wire) {}

  Explored run() {
    Explored explored;
    explored.points = space_.size();
    try {
      if (b_.study.search.method == Method::nsga2) {
        search();
      } else {
        enumerate();
      }
    } catch (const Stopped&) {
      is_stopped_ = true;
    }
    store_.commit();
    explored.points_done = done_;
    if (!is_stopped_) explored.result = gather();
    return explored;
  }

 private:
  bool stops() const { return options_.stops && options_.stops(); }

  std::uint64_t chunk_count() const { return (space_.size() + size_ - 1) / size_; }

  Chunk chunk_at(std::uint64_t number) const {
    return {.first = number * size_, .last = std::min((number + 1) * size_, space_.size())};
  }

  void count(std::uint64_t points) {
    done_ += points;
    if (options_.progress) options_.progress(done_, space_.size());
  }

  void keep(const Finished& finished, std::uint64_t points) {
    store_.put(finished.chunk, finished.result);
    stored_.insert(finished.chunk);
    if (Clock::now() - committed_ > kBetweenCommits) {
      store_.commit();
      committed_ = Clock::now();
    }
    count(points);
  }

  // Every chunk that is not in the store, in order.
  void enumerate() {
    for (const std::uint64_t number : stored_) count(chunk_at(number).last - chunk_at(number).first);
    const std::set<std::uint64_t> known = stored_;
    std::uint64_t next = 0;
    const auto supply = [&]() -> std::optional<Job> {
      while (next < chunk_count() && known.contains(next)) ++next;
      if (next >= chunk_count()) return std::nullopt;
      const std::uint64_t number = next++;
      return Job{number, chunk_at(number)};
    };
    const auto receive = [&](const Finished& finished) {
      const Chunk chunk = chunk_at(finished.chunk);
      keep(finished, chunk.last - chunk.first);
    };
    foreman_.run(supply, receive, [&] { return stops(); });
    if (stored_.size() < chunk_count()) throw Stopped();
  }

  // Generation by generation, each in a few chunks; those that are stored already are not evaluated again.
  void search() {
    const SearchVariables variables(b_.study);
    std::uint64_t generation = 0;
    evolve(variables.evolution(), [&](const std::vector<double>& individuals) {
      return evaluate_generation(generation++, individuals, variables);
    });
  }

  std::vector<double> evaluate_generation(std::uint64_t generation, const std::vector<double>& individuals,
                                          const SearchVariables& variables) {
    const std::uint64_t first = generation * b_.study.search.population;
    const std::uint64_t count_of = individuals.size() / variables.size();
    std::vector<Job> jobs;
    for (std::uint64_t begin = 0; begin < count_of; begin += size_) {
      Job job{.number = first + begin,
              .chunk = {.first = first + begin, .last = first + std::min(begin + size_, count_of)}};
      for (std::uint64_t i = begin; i < begin + job.chunk.last - job.chunk.first; ++i) {
        const std::vector<double> at =
            variables.coordinates(std::span(individuals).subspan(i * variables.size(), variables.size()));
        job.chunk.coordinates.insert(job.chunk.coordinates.end(), at.begin(), at.end());
      }
      jobs.push_back(std::move(job));
    }
    std::size_t next = 0;
    const auto supply = [&]() -> std::optional<Job> {
      while (next < jobs.size() && stored_.contains(jobs[next].number)) {
        count(jobs[next].chunk.last - jobs[next].chunk.first);
        ++next;
      }
      if (next >= jobs.size()) return std::nullopt;
      return jobs[next++];
    };
    const auto receive = [&](const Finished& finished) {
      for (const Job& job : jobs) {
        if (job.number == finished.chunk) keep(finished, job.chunk.last - job.chunk.first);
      }
    };
    foreman_.run(supply, receive, [&] { return stops(); });
    std::vector<double> fitness;
    for (const Job& job : jobs) {
      const auto bytes = store_.find(job.number);
      if (!bytes) throw Stopped();
      const ChunkResult result = decode_result(*bytes);
      MLOSIM_CHECK(result.kept.size() == job.chunk.last - job.chunk.first);
      for (const Point& point : result.kept) {
        for (std::size_t o = 0; o < b_.objectives.size(); ++o) {
          // Worse than anything that is feasible, and alike: which infeasible point is nearer is not known.
          constexpr double kInfeasible = 1e300;
          fitness.push_back(!point.is_feasible()         ? kInfeasible
                            : b_.objectives[o].maximises ? -point.objectives[o]
                                                         : point.objectives[o]);
        }
      }
    }
    return fitness;
  }

  Result gather() {
    Gatherer gatherer(b_, space_);
    for (const std::uint64_t number : stored_) gatherer.add(decode_result(*store_.find(number)));
    return gatherer.result();
  }

  const Blueprint& b_;
  const ExploreOptions& options_;
  Space space_;
  std::uint64_t size_;
  Store store_;
  std::set<std::uint64_t> stored_;
  Crew crew_;
  Foreman foreman_;
  Clock::time_point committed_ = Clock::now();
  std::uint64_t done_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

Explored explore(const Blueprint& blueprint, const ExploreOptions& options) { return Run(blueprint, options).run(); }

bool assist(const Blueprint& blueprint, Wire& wire, int jobs) {
  const Space space(blueprint);
  Crew crew(blueprint, space, jobs);
  return serve(crew, wire);
}

}  // namespace mlosim::explore
