#include "sim/net/custom_all_reduce.hpp"

namespace mlosim::net {

CustomPrice estimate_custom_all_reduce(const work::Collective& collective, const spec::CustomAllReduce& custom,
                                       BytesPerSecond peers, Seconds memory_latency) {
  const auto n = static_cast<double>(collective.ranks);
  const Bytes all = collective.bytes * (n - 1);
  const Bytes shares = 2 * collective.bytes * (n - 1) / n;
  const double barrier = custom.start + custom.hop * (n - 2);
  const Seconds one_shot = memory_latency * barrier + all / (custom.one_shot_efficiency * peers);
  const Seconds two_shot =
      memory_latency * (barrier + custom.second_shot) + shares / (custom.two_shot_efficiency * peers);
  return one_shot <= two_shot ? CustomPrice{.time = one_shot, .one_shot = true, .sent = all}
                              : CustomPrice{.time = two_shot, .one_shot = false, .sent = shares};
}

}  // namespace mlosim::net
