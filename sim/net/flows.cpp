#include "sim/net/flows.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace mlosim::net {
namespace {

// Bytes that rounding may leave of a flow: relative to what its class has moved, and of one flow.
constexpr double kNoise = 1e-12;

}  // namespace

Flows::Flows(event::Simulator& sim, const Network& network, const std::vector<Path>& paths)
    : sim_(sim), network_(network), links_(network.links().size()), sharing_(*this) {
  for (std::size_t i = 0; i < links_.size(); ++i)
    links_[i].rate = network.links()[i].bandwidth.si() / static_cast<double>(event::kPicosecondsPerSecond);
  classes_.reserve(paths.size());
  for (const Path& path : paths) {
    Class& c = classes_.emplace_back(*this);
    c.path = path;
    Seconds latency;
    for (const std::uint32_t link : path) latency += network.links()[link].latency;
    c.latency = event::to_span_up(latency);
  }
}

void Flows::start(std::uint32_t route, Bytes bytes, event::Event& arrived) {
  MLOSIM_CHECK(bytes > Bytes(0));
  Class& c = classes_[route];
  if (c.path.empty()) {  // to itself
    sim_.schedule(arrived, event::Span());
    return;
  }
  move_to_now(c);
  if (c.under_way.empty()) {
    c.moved = 0;
    for (const std::uint32_t link : c.path) links_[link].classes.push_back(route);
  }
  c.under_way.push_back(
      {.end = c.moved + bytes.si(), .bytes = bytes.si(), .sequence = sequence_++, .arrived = &arrived});
  std::push_heap(c.under_way.begin(), c.under_way.end(), std::greater<>());
  if (is_alone(c)) {
    set_rate(c, least_rate(c) / static_cast<double>(c.under_way.size()));
  } else {
    c.disarm();
    c.rate = 0;
    touch(c.path.front());
  }
}

std::uint32_t Flows::busiest() const {
  std::uint32_t most = 0;
  double longest = -1;
  for (std::uint32_t i = 0; i < links_.size(); ++i) {
    const double busy = links_[i].rate > 0 ? links_[i].carried / links_[i].rate : 0;
    if (busy > longest * (1 + kNoise)) {
      longest = busy;
      most = i;
    }
  }
  return most;
}

void Flows::wake(event::Simulator&, event::Event& event) {
  Class& c = static_cast<Class&>(event);
  c.flows.end_due(c);
}

void Flows::share(event::Simulator&, event::Event& event) { static_cast<Sharing&>(event).flows.share_touched(); }

bool Flows::is_alone(const Class& c) const {
  return std::all_of(c.path.begin(), c.path.end(),
                     [&](std::uint32_t link) { return links_[link].classes.size() == 1; });
}

double Flows::least_rate(const Class& c) const {
  double least = std::numeric_limits<double>::infinity();
  for (const std::uint32_t link : c.path) least = std::min(least, links_[link].rate);
  return least;
}

void Flows::move_to_now(Class& c) {
  c.moved += c.rate * static_cast<double>((sim_.now() - c.since).ps());
  c.since = sim_.now();
}

// Arms the class for the end of its first flow. Moved to now.
void Flows::set_rate(Class& c, double rate) {
  c.rate = rate;
  const double left = std::max(0.0, c.under_way.front().end - c.moved) / rate;
  c.arm(sim_, sim_.now() + event::Span(static_cast<std::int64_t>(std::ceil(left * (1 - kNoise)))));
}

void Flows::end_due(Class& c) {
  move_to_now(c);
  const double reached = c.moved * (1 + kNoise) + kNoise;
  const std::size_t before = c.under_way.size();
  while (!c.under_way.empty() && c.under_way.front().end <= reached) {
    std::pop_heap(c.under_way.begin(), c.under_way.end(), std::greater<>());
    const Flow flow = c.under_way.back();
    c.under_way.pop_back();
    for (const std::uint32_t link : c.path) links_[link].carried += flow.bytes;
    sim_.schedule(*flow.arrived, c.latency);
  }
  if (c.under_way.empty()) {
    leave_links(c);
  } else if (c.under_way.size() == before || is_alone(c)) {
    set_rate(c, c.under_way.size() == before ? c.rate : least_rate(c) / static_cast<double>(c.under_way.size()));
  } else {
    c.rate = 0;
    touch(c.path.front());
  }
}

void Flows::leave_links(Class& c) {
  const auto number = static_cast<std::uint32_t>(&c - classes_.data());
  c.rate = 0;
  for (const std::uint32_t link : c.path) {
    std::vector<std::uint32_t>& classes = links_[link].classes;
    classes.erase(std::find(classes.begin(), classes.end(), number));
    if (!classes.empty()) touch(link);
  }
}

// Shares are computed once all that starts and ends now has done so.
void Flows::touch(std::uint32_t link) {
  touched_.push_back(link);
  if (is_sharing_due_) return;
  is_sharing_due_ = true;
  sim_.schedule(sharing_, event::Span(), event::Phase::arbitrate);
}

void Flows::share_touched() {
  is_sharing_due_ = false;
  ++epoch_;
  for (const std::uint32_t link : touched_) {
    if (links_[link].seen == epoch_) continue;
    near_links_.clear();
    near_classes_.clear();
    gather(link);
    fill();
  }
  touched_.clear();
}

// The links and classes that are connected with `start`.
void Flows::gather(std::uint32_t start) {
  links_[start].seen = epoch_;
  near_links_.push_back(start);
  for (std::size_t i = 0; i < near_links_.size(); ++i) {
    LinkState& link = links_[near_links_[i]];
    link.left = link.rate;
    link.flows = 0;
    for (const std::uint32_t number : link.classes) {
      Class& c = classes_[number];
      link.flows += static_cast<double>(c.under_way.size());
      if (c.seen == epoch_) continue;
      c.seen = epoch_;
      c.is_fixed = false;
      near_classes_.push_back(number);
      for (const std::uint32_t other : c.path) {
        if (links_[other].seen == epoch_) continue;
        links_[other].seen = epoch_;
        near_links_.push_back(other);
      }
    }
  }
}

void Flows::fill() {
  std::size_t left = near_classes_.size();
  while (left > 0) {
    double share = std::numeric_limits<double>::infinity();
    for (const std::uint32_t number : near_links_) {
      const LinkState& link = links_[number];
      if (link.flows > 0) share = std::min(share, link.left / link.flows);
    }
    // All links that are as tight as the tightest fix their classes in one round.
    for (const std::uint32_t number : near_links_) {
      if (links_[number].flows <= 0 || links_[number].left / links_[number].flows > share * (1 + kNoise)) continue;
      for (const std::uint32_t member : links_[number].classes) {
        Class& c = classes_[member];
        if (c.is_fixed) continue;
        c.is_fixed = true;
        --left;
        const auto flows = static_cast<double>(c.under_way.size());
        for (const std::uint32_t other : c.path) {
          links_[other].left = std::max(0.0, links_[other].left - share * flows);
          links_[other].flows -= flows;
        }
        move_to_now(c);
        set_rate(c, share);
      }
    }
  }
}

}  // namespace mlosim::net
