#include "models/explore/foreman.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace mlosim::explore {
namespace {

using Clock = std::chrono::steady_clock;

// The first byte of a letter.
constexpr char kHello = 'h';   // from a worker, with the number of its threads
constexpr char kWork = 'w';    // to a worker: a chunk
constexpr char kResult = 'r';  // from a worker: a chunk's number and result
constexpr char kAlive = 'a';   // to a worker: go on waiting
constexpr char kHome = 'x';    // to a worker: go home; from it: going
constexpr char kClose = 'c';   // to a worker: all are going

constexpr std::chrono::microseconds kGlance(200);  // between looks at the wire
constexpr std::chrono::milliseconds kPatience(50);
constexpr std::chrono::seconds kBetweenSigns(5), kForeverSilent(60), kFarewell(2);

template <class T>
T number_in(const std::string& letter) {
  T number{};
  if (letter.size() >= 1 + sizeof number) std::memcpy(&number, letter.data() + 1, sizeof number);
  return number;
}

template <class T>
std::string letter_of(char kind, T number) {
  std::string letter(1, kind);
  letter.append(reinterpret_cast<const char*>(&number), sizeof number);
  return letter;
}

}  // namespace

Foreman::Foreman(Crew& crew, Wire* wire) : crew_(crew), wire_(wire) {
  jobs_[0] = static_cast<std::size_t>(crew.jobs());
  load_[0] = 0;
}

// So much that nobody waits for the next letter.
std::size_t Foreman::room(int rank) const {
  const std::size_t most = 2 * jobs_.at(rank), has = load_.at(rank);
  return has < most ? most - has : 0;
}

void Foreman::give(int rank, std::uint64_t number, Outstanding& job) {
  job.holders.insert(rank);
  ++load_[rank];
  if (rank == 0) {
    crew_.submit(number, job.chunk);
  } else {
    wire_->send(rank, kWork + encode_chunk(number, job.chunk));
  }
}

// One more chunk for a rank that has room: a fresh one, or one that somebody else has not brought back.
bool Foreman::hand_out(const Supply& supply, int rank) {
  if (room(rank) == 0) return false;
  if (std::optional<Job> job = supply()) {
    Outstanding& fresh = outstanding_[job->number];
    fresh.chunk = std::move(job->chunk);
    give(rank, job->number, fresh);
    return true;
  }
  is_dry_ = true;
  if (load_[rank] > 0) return false;
  for (auto& [number, job] : outstanding_) {
    if (job.holders.contains(rank)) continue;
    give(rank, number, job);
    return true;
  }
  return false;
}

void Foreman::finish(const Finished& finished, const Receive& receive) {
  const auto found = outstanding_.find(finished.chunk);
  if (found == outstanding_.end()) return;  // somebody else was faster
  outstanding_.erase(found);
  receive(finished);
}

bool Foreman::take_letters(const Receive& receive) {
  bool any = false;
  while (wire_) {
    const std::optional<Wire::Letter> letter = wire_->receive();
    if (!letter || letter->bytes.empty()) break;
    any = true;
    if (letter->bytes.front() == kHello) {
      jobs_[letter->from] = static_cast<std::size_t>(number_in<std::int64_t>(letter->bytes));
      load_[letter->from] = 0;
    } else if (letter->bytes.front() == kResult) {
      std::size_t& load = load_[letter->from];
      if (load > 0) --load;
      constexpr std::size_t kHead = 1 + sizeof(std::uint64_t);
      finish({.chunk = number_in<std::uint64_t>(letter->bytes), .result = letter->bytes.substr(kHead)}, receive);
    }
  }
  return any;
}

void Foreman::keep_alive() {
  if (!wire_ || Clock::now() - last_sign_ < kBetweenSigns) return;
  last_sign_ = Clock::now();
  for (const auto& [rank, jobs] : jobs_) {
    if (rank != 0) wire_->send(rank, std::string(1, kAlive));
  }
}

void Foreman::run(const Supply& supply, const Receive& receive, const std::function<bool()>& stops) {
  is_dry_ = false;
  while (!stops()) {
    bool any = take_letters(receive);
    for (const auto& [rank, jobs] : jobs_) {
      while (hand_out(supply, rank)) any = true;
    }
    if (is_dry_ && outstanding_.empty()) return;
    while (const auto finished = crew_.next(any ? std::chrono::microseconds(0) : wire_ ? kGlance : kPatience)) {
      --load_[0];
      finish(*finished, receive);
      any = true;
    }
    keep_alive();
  }
  // What is being evaluated here is not thrown away.
  while (crew_.in_flight() > 0) {
    if (const auto finished = crew_.next(kPatience)) finish(*finished, receive);
  }
  load_[0] = 0;
  outstanding_.clear();
}

bool dismiss(Wire& wire) {
  for (int rank = 1; rank < wire.size(); ++rank) wire.send(rank, std::string(1, kHome));
  std::set<int> gone;
  const auto all_went = [&] { return static_cast<int>(gone.size()) + 1 == wire.size(); };
  const Clock::time_point end = Clock::now() + kFarewell;
  while (!all_went() && Clock::now() < end) {
    const auto letter = wire.receive();
    if (letter && letter->bytes == std::string(1, kHome)) gone.insert(letter->from);
    if (!letter) std::this_thread::sleep_for(kGlance);
  }
  for (int rank = 1; all_went() && rank < wire.size(); ++rank) wire.send(rank, std::string(1, kClose));
  return all_went();
}

namespace {

// Whether the foreman says that all others went home, too.
bool hears_of_close(Wire& wire) {
  for (const Clock::time_point end = Clock::now() + 2 * kFarewell; Clock::now() < end;) {
    const auto letter = wire.receive();
    if (letter && letter->bytes == std::string(1, kClose)) return true;
    if (!letter) std::this_thread::sleep_for(kGlance);
  }
  return false;
}

}  // namespace

bool wait_for_dismissal(Wire& wire) {
  for (const Clock::time_point start = Clock::now(); Clock::now() - start < kForeverSilent;) {
    const auto letter = wire.receive();
    if (!letter) std::this_thread::sleep_for(kGlance);
    if (!letter || letter->bytes.front() != kHome) continue;
    wire.send(0, std::string(1, kHome));
    return hears_of_close(wire);
  }
  return false;
}

bool serve(Crew& crew, Wire& wire) {
  wire.send(0, letter_of(kHello, static_cast<std::int64_t>(crew.jobs())));
  Clock::time_point heard = Clock::now();
  while (Clock::now() - heard < kForeverSilent) {
    while (const auto letter = wire.receive()) {
      heard = Clock::now();
      if (letter->bytes.front() == kHome) {
        wire.send(0, std::string(1, kHome));
        return hears_of_close(wire);
      }
      if (letter->bytes.front() != kWork) continue;
      std::uint64_t number = 0;
      Chunk chunk = decode_chunk(std::string_view(letter->bytes).substr(1), number);
      crew.submit(number, std::move(chunk));
    }
    while (const auto finished = crew.next(kGlance))
      wire.send(0, letter_of(kResult, finished->chunk) + finished->result);
  }
  return false;
}

}  // namespace mlosim::explore
