// Transfers over a network that share its links max-min fairly: no flow gets more without one that has no more than it
// getting less. A fluid on the event queue; no packets, no buffers.
//
// Flows of one route are a class: they move alike, and a class costs as much as one flow. When a flow starts or ends,
// only the classes that its links connect, directly or through others, are shared out anew, by progressive filling: the
// link with the least bandwidth left for each flow fixes those that cross it, and so on with what is left. A class that
// shares no link with another is priced at once. After D. Bertsekas and R. Gallager, Data Networks, 6.5.2.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/event/simulator.hpp"
#include "sim/net/network.hpp"

namespace mlosim::net {

class Flows {
 public:
  // `paths` are the routes that flows may take, by number. The network must outlive the flows.
  Flows(event::Simulator& sim, const Network& network, const std::vector<Path>& paths);
  Flows(const Flows&) = delete;
  Flows& operator=(const Flows&) = delete;

  // Sends bytes > 0 along a route; fires `arrived` when the last byte has come, the latencies of the links after it was
  // sent.
  void start(std::uint32_t route, Bytes bytes, event::Event& arrived);

  // What a link has carried of flows that have ended.
  Bytes carried(std::uint32_t link) const { return Bytes(links_[link].carried); }
  // The link that was busy the longest at its whole bandwidth; the first of equal ones.
  std::uint32_t busiest() const;

 private:
  struct LinkState {
    double rate = 0;  // bytes a picosecond
    double carried = 0;
    std::vector<std::uint32_t> classes;  // that have flows
    double left = 0, flows = 0;          // while shares are computed
    std::uint64_t seen = 0;
  };
  struct Flow {
    double end = 0;  // in bytes that a flow of the class has moved
    double bytes = 0;
    std::uint64_t sequence = 0;
    event::Event* arrived = nullptr;
    friend bool operator>(const Flow& a, const Flow& b) {
      return a.end != b.end ? a.end > b.end : a.sequence > b.sequence;
    }
  };
  struct Class : event::Timer {
    explicit Class(Flows& f) : Timer(&Flows::wake), flows(f) {}
    Flows& flows;
    Path path;
    event::Span latency;
    std::vector<Flow> under_way;  // min-heap
    double moved = 0;             // bytes of each flow, up to `since`
    double rate = 0;              // of each flow
    event::Time since;
    std::uint64_t seen = 0;
    bool is_fixed = false;
  };
  struct Sharing : event::Event {
    explicit Sharing(Flows& f) : Event(&Flows::share), flows(f) {}
    Flows& flows;
  };

  static void wake(event::Simulator& sim, event::Event& event);
  static void share(event::Simulator& sim, event::Event& event);

  bool is_alone(const Class& c) const;
  double least_rate(const Class& c) const;
  void move_to_now(Class& c);
  void set_rate(Class& c, double rate);
  void end_due(Class& c);
  void leave_links(Class& c);
  void touch(std::uint32_t link);
  void share_touched();
  void gather(std::uint32_t link);
  void fill();

  event::Simulator& sim_;
  const Network& network_;
  std::vector<LinkState> links_;
  std::vector<Class> classes_;
  Sharing sharing_;
  bool is_sharing_due_ = false;
  std::vector<std::uint32_t> touched_;                    // links
  std::vector<std::uint32_t> near_links_, near_classes_;  // of the component that is shared out
  std::uint64_t sequence_ = 0, epoch_ = 0;
};

}  // namespace mlosim::net
