#include "models/plan/training_parallelism.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace mlosim::plan {
namespace {

constexpr std::int64_t kMostRanks = 100'000'000;  // products of degrees stay far from the ends of an integer

// The product of the degrees, or kMostRanks + 1 where it is more than that.
std::int64_t bounded_product(const std::array<std::int64_t, 6>& degrees) {
  std::int64_t product = 1;
  for (const std::int64_t degree : degrees) {
    if (degree > kMostRanks / product) return kMostRanks + 1;
    product *= degree;
  }
  return product;
}

void decode_experts(spec::Node& node, bool has_moe, TrainingParallelism& p) {
  p.ep = node.count_or("ep", 1);
  p.moe_tp = node.count_or("moe_tp", !has_moe || p.ep > 1 ? 1 : p.tp);
  if (!has_moe) {
    if (p.ep > 1) node.fail_at("ep", "the model has no experts to spread");
    if (p.moe_tp > 1) node.fail_at("moe_tp", "the model has no experts to cut");
    p.ep = p.moe_tp = 1;
    return;
  }
  const std::int64_t stage = p.tp * p.cp * p.dp;
  if (p.ep > stage || p.moe_tp > stage || stage % (p.ep * p.moe_tp) != 0) {
    node.fail_at("ep", fmt::format("ep {} x moe_tp {} does not divide the {} chips of a stage (tp x cp x dp)", p.ep,
                                   p.moe_tp, stage));
    p.ep = p.moe_tp = 1;
  }
}

void decode_sharding(spec::Node& node, TrainingParallelism& p) {
  const std::int64_t zero = node.count_or("zero", 0, 0);
  if (zero > 3) node.fail_at("zero", "stages are 0 to 3", "3 shares out the parameters, too (FSDP)");
  p.zero = static_cast<ZeroStage>(zero > 3 ? 0 : zero);
  if (!node.has("hsdp_shard")) return;
  p.hsdp_shard = node.require_count("hsdp_shard");
  if (p.zero == ZeroStage::none) {
    node.fail_at("hsdp_shard", "without zero nothing is shared out", "zero: 3 is FSDP");
  } else if (p.replicas() % p.hsdp_shard != 0) {
    node.fail_at("hsdp_shard", fmt::format("{} ranks do not divide the {} of data parallelism (dp x cp)", p.hsdp_shard,
                                           p.replicas()));
    p.hsdp_shard = 0;
  }
}

struct Batch {
  std::int64_t global = 1, micro = 1, sequence = 1;
};

// Calls refuse(key, say) for each mistake; say() makes the sentence and the hint, which a search does not want.
template <class Refuse>
void find_mistakes(const graph::ModelSpec& model, const TrainingParallelism& p, const Batch& batch, Refuse refuse) {
  using Said = std::pair<std::string, std::string>;
  if (model.heads % p.tp != 0) {
    refuse("tp", [&] {
      return Said(fmt::format("{} heads cannot be cut {} ways", model.heads, p.tp), "tp must divide the heads");
    });
  }
  if (model.kv_heads > p.tp ? model.kv_heads % p.tp != 0 : p.tp % model.kv_heads != 0) {
    refuse("tp", [&] {
      return Said(fmt::format("{} KV heads and tp {} do not divide one another", model.kv_heads, p.tp), "");
    });
  }
  if (model.moe && model.moe->experts % p.ep != 0) {
    refuse("ep", [&] {
      return Said(fmt::format("{} experts cannot be spread over {} groups", model.moe->experts, p.ep), "");
    });
  }
  if (batch.sequence % (p.cp * (p.sp ? p.tp : 1)) != 0) {
    refuse("", [&] {
      const std::string sp = p.sp ? fmt::format(" and sp over tp {}", p.tp) : "";
      return Said(fmt::format("sequences of {} tokens cannot be cut over cp {}{}", batch.sequence, p.cp, sp), "");
    });
  }
  const std::int64_t stages = p.shape(1).stages();
  if (stages > model.layers + 2) {  // the ends may be stages of their own
    refuse("pp", [&] {
      return Said(fmt::format("{} layers do not reach for {} stages", model.layers, stages),
                  "cut the model into fewer stages: pp, virtual_stages");
    });
  }
  if (batch.global % (p.dp * batch.micro) != 0) {
    refuse("", [&] {
      return Said(
          fmt::format("a global batch of {} is no multiple of dp {} x micro_batch {}", batch.global, p.dp, batch.micro),
          "");
    });
  }
}

}  // namespace

TrainingParallelism decode_training_parallelism(spec::Node node, bool has_moe, std::int64_t chips) {
  TrainingParallelism p;
  if (!node.is_present()) {
    if (chips > 0) p.dp = chips;
    return p;
  }
  p.tp = node.count_or("tp", 1);
  p.pp = node.count_or("pp", 1);
  p.cp = node.count_or("cp", 1);
  p.sp = node.flag_or("sp", false);
  const bool has_dp = node.has("dp");
  p.dp = node.count_or("dp", 1);
  p.virtual_stages = node.count_or("virtual_stages", 1);
  if (bounded_product({p.tp, p.pp, p.cp, p.dp, p.virtual_stages, 1}) > kMostRanks) {
    node.fail("the degrees multiply to more ranks than can be meant");
    return {};
  }
  if (chips > 0 && p.chips() != chips) {
    const std::int64_t replica = p.chips() / p.dp;
    if (chips % replica != 0) {
      node.fail(fmt::format("{} chips are no multiple of tp {} x pp {} x cp {}", chips, p.tp, p.pp, p.cp),
                "change 'chips', or the degrees");
    } else {
      p.dp = chips / replica;
      if (has_dp) node.warn(fmt::format("dp is {} to fit {} chips", p.dp, chips));
    }
  }
  p.schedule = p.virtual_stages > 1 ? ScheduleKind::interleaved : ScheduleKind::one_f_one_b;
  if (node.has("schedule")) {
    p.schedule = node.require_word<ScheduleKind>("schedule", {{"gpipe", ScheduleKind::gpipe},
                                                              {"1f1b", ScheduleKind::one_f_one_b},
                                                              {"interleaved", ScheduleKind::interleaved},
                                                              {"zero_bubble", ScheduleKind::zero_bubble},
                                                              {"dualpipe", ScheduleKind::dualpipe}});
  }
  if (node.has("zero_bubble")) {
    p.zero_bubble = node.require_word<ZeroBubble>("zero_bubble", {{"h1", ZeroBubble::h1},
                                                                  {"h2", ZeroBubble::h2},
                                                                  {"v", ZeroBubble::v},
                                                                  {"v_half", ZeroBubble::v_half},
                                                                  {"v_min", ZeroBubble::v_min}});
    if (p.schedule != ScheduleKind::zero_bubble)
      node.fail_at("zero_bubble", "is a kind of the schedule 'zero_bubble'", "schedule: zero_bubble");
  }
  decode_experts(node, has_moe, p);
  decode_sharding(node, p);
  if (node.has("attention_dp")) {
    node.child("attention_dp");
    node.fail_at("attention_dp", "'attention_dp' belongs to inference", "use dp, with ep for the experts");
  }
  node.finish();
  return p;
}

void check_training(const graph::ModelSpec& model, const TrainingParallelism& p, std::int64_t global_batch,
                    std::int64_t micro_batch, std::int64_t sequence, const spec::Node& place) {
  find_mistakes(model, p, {global_batch, micro_batch, sequence}, [&](std::string_view key, const auto& say) {
    const auto [message, hint] = say();
    key.empty() ? place.fail(message, hint) : place.fail_at(key, message, hint);
  });
  if (global_batch % (p.dp * micro_batch) != 0) return;
  for (const ShapeMistake& wrong : check_schedule(p.shape(global_batch / (p.dp * micro_batch)), 0))
    place.fail_at(wrong.key, wrong.message, wrong.hint);
}

bool can_train(const graph::ModelSpec& model, const TrainingParallelism& p, std::int64_t global_batch,
               std::int64_t micro_batch, std::int64_t sequence) {
  if (p.tp * p.cp * p.dp % (p.ep * p.moe_tp) != 0 || p.replicas() % p.shard_ranks() != 0) return false;
  bool can = true;
  find_mistakes(model, p, {global_batch, micro_batch, sequence}, [&](std::string_view, const auto&) { can = false; });
  return can && check_schedule(p.shape(global_batch / (p.dp * micro_batch)), 0).empty();
}

}  // namespace mlosim::plan
