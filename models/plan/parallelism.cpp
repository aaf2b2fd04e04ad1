#include "models/plan/parallelism.hpp"

#include <fmt/format.h>

namespace mlosim::plan {
namespace {

// Products of degrees stay far from the ends of an integer.
bool is_beyond_meaning(const Parallelism& p) {
  constexpr double kMostRanks = 1e9;
  double ranks = 1;
  for (const std::int64_t degree : {p.tp, p.pp, p.dp, p.cp, p.ep, p.moe_tp, p.attention_dp})
    ranks *= static_cast<double>(degree);
  return ranks > kMostRanks;
}

}  // namespace

Parallelism decode_parallelism(spec::Node node, bool has_moe, std::int64_t chips) {
  Parallelism p;
  if (!node.is_present()) {
    p.tp = chips;
    if (has_moe) p.moe_tp = chips;
    return p;
  }
  p.tp = node.count_or("tp", 1);
  p.pp = node.count_or("pp", 1);
  p.dp = node.count_or("dp", 1);
  p.cp = node.count_or("cp", 1);
  p.ep = node.count_or("ep", 1);
  p.sp = node.flag_or("sp", false);
  const bool has_moe_tp = node.has("moe_tp"), has_attention_dp = node.has("attention_dp");
  p.moe_tp = node.count_or("moe_tp", 1);
  p.attention_dp = node.count_or("attention_dp", 1);
  for (const char* training_only : {"zero", "hsdp_shard", "schedule", "virtual_stages"}) {
    if (!node.has(training_only)) continue;
    node.child(training_only);
    node.fail_at(training_only, fmt::format("'{}' belongs to training", training_only), "leave it out");
  }
  node.finish();
  if (is_beyond_meaning(p)) {
    node.fail("the degrees multiply to more ranks than can be meant");
    return {};
  }
  if (!has_moe) {
    if (p.ep > 1) node.fail_at("ep", "the model has no experts to spread");
    if (p.moe_tp > 1) node.fail_at("moe_tp", "the model has no experts to cut");
    return p;
  }
  if (!has_attention_dp && p.ep * p.moe_tp > p.tp && p.ep * p.moe_tp % p.tp == 0)
    p.attention_dp = p.ep * p.moe_tp / p.tp;
  const std::int64_t width = p.tp * p.attention_dp;
  if (!has_moe_tp && width % p.ep == 0) p.moe_tp = width / p.ep;
  if (p.ep * p.moe_tp != width) {
    node.fail(fmt::format("ep {} x moe_tp {} is not tp {} x attention_dp {}", p.ep, p.moe_tp, p.tp, p.attention_dp),
              "the experts spread over the same chips as the attention");
  }
  return p;
}

Parallelism fit_to_chips(Parallelism parallelism, std::int64_t chips, const spec::Node& place) {
  const std::int64_t given = parallelism.chips();
  if (chips == given) return parallelism;
  if (chips % given == 0) {
    parallelism.dp *= chips / given;
    place.warn(fmt::format("{} chips are {} replicas of what the parallelism says; dp is {}", chips, chips / given,
                           parallelism.dp));
  } else if (parallelism.tp == given && chips < given && chips % parallelism.ep == 0) {
    const bool cuts_experts = parallelism.ep * parallelism.moe_tp == parallelism.tp;
    parallelism.tp = chips;
    if (cuts_experts) parallelism.moe_tp = chips / parallelism.ep;
    place.warn(fmt::format("tp is {} to fit {} chips", chips, chips));
  } else {
    place.fail_at("chips", fmt::format("{} chips do not fit a parallelism of {}", chips, given),
                  "make 'chips' a multiple of the product of parallelism");
  }
  return parallelism;
}

}  // namespace mlosim::plan
