#include "sim/event/pool.hpp"

#include <algorithm>
#include <utility>

namespace mlosim::event {

Pool::Pool(Simulator& sim, std::string name, std::int64_t units)
    : sim_(sim), name_(std::move(name)), units_(units), free_(units) {
  MLOSIM_CHECK(units > 0);
}

std::vector<const ProcessRecord*> Pool::holders() const {
  std::vector<const ProcessRecord*> processes;
  for (const Holding& holding : holdings_) {
    if (std::find(processes.begin(), processes.end(), holding.process.get()) == processes.end()) {
      processes.push_back(holding.process.get());
    }
  }
  return processes;
}

Pool::Acquire Pool::acquire(std::int64_t units) {
  MLOSIM_CHECK(units > 0 && units <= units_);
  return Acquire(*this, units);
}

bool Pool::ask(Acquire& request) {
  if (!waiting_.empty() || free_ < request.grant_.units) {
    waiting_.push_back(&request);
    return false;
  }
  grant(request);
  return true;
}

void Pool::grant(Acquire& request) {
  request.grant_.number = ++granted_;
  free_ -= request.grant_.units;
  holdings_.push_back({granted_, request.process().shared_from_this()});
}

void Pool::release(Grant released) {
  const auto holding = std::lower_bound(holdings_.begin(), holdings_.end(), released.number,
                                        [](const Holding& h, std::uint64_t number) { return h.grant < number; });
  MLOSIM_CHECK(holding != holdings_.end() && holding->grant == released.number);
  holdings_.erase(holding);
  free_ += released.units;
  while (!waiting_.empty() && free_ >= waiting_.front()->grant_.units) {
    Acquire& request = *waiting_.front();
    waiting_.pop_front();
    grant(request);
    sim_.schedule(request, Span());
  }
}

}  // namespace mlosim::event
