#include "models/explore/training_layout.hpp"

#include <array>
#include <utility>

#include "sim/spec/node.hpp"
#include "sim/units/check.hpp"

namespace mlosim::explore {
namespace {

using plan::ScheduleKind;
using plan::TrainingParallelism;
using plan::ZeroBubble;
using plan::ZeroStage;
using spec::Node;

constexpr std::array kKeys{std::pair{std::string_view("parallelism.tp"), LayoutKey::tp},
                           std::pair{std::string_view("parallelism.pp"), LayoutKey::pp},
                           std::pair{std::string_view("parallelism.dp"), LayoutKey::dp},
                           std::pair{std::string_view("parallelism.cp"), LayoutKey::cp},
                           std::pair{std::string_view("parallelism.ep"), LayoutKey::ep},
                           std::pair{std::string_view("parallelism.moe_tp"), LayoutKey::moe_tp},
                           std::pair{std::string_view("parallelism.sp"), LayoutKey::sp},
                           std::pair{std::string_view("parallelism.zero"), LayoutKey::zero},
                           std::pair{std::string_view("parallelism.hsdp_shard"), LayoutKey::hsdp_shard},
                           std::pair{std::string_view("parallelism.schedule"), LayoutKey::schedule},
                           std::pair{std::string_view("parallelism.zero_bubble"), LayoutKey::zero_bubble},
                           std::pair{std::string_view("parallelism.virtual_stages"), LayoutKey::virtual_stages},
                           std::pair{std::string_view("train.micro_batch"), LayoutKey::micro_batch},
                           std::pair{std::string_view("train.global_batch"), LayoutKey::global_batch},
                           std::pair{std::string_view("train.sequence"), LayoutKey::sequence},
                           std::pair{std::string_view("train.recompute"), LayoutKey::recompute},
                           std::pair{std::string_view("train.overlap.grad_reduce"), LayoutKey::overlap_grad_reduce},
                           std::pair{std::string_view("train.overlap.param_gather"), LayoutKey::overlap_param_gather},
                           std::pair{std::string_view("train.overlap.tp"), LayoutKey::overlap_tp}};

std::int64_t read_value(LayoutKey key, Node node) {
  switch (key) {
    case LayoutKey::sp:
    case LayoutKey::overlap_grad_reduce:
    case LayoutKey::overlap_param_gather:
    case LayoutKey::overlap_tp:
      return node.as_word<bool>({{"true", true}, {"false", false}}) ? 1 : 0;
    case LayoutKey::zero: {
      const std::int64_t stage = node.as_count(0);
      if (stage > 3) node.fail("stages are 0 to 3", "3 shares out the parameters, too (FSDP)");
      return stage;
    }
    case LayoutKey::schedule:
      return static_cast<std::int64_t>(node.as_word<ScheduleKind>({{"gpipe", ScheduleKind::gpipe},
                                                                   {"1f1b", ScheduleKind::one_f_one_b},
                                                                   {"interleaved", ScheduleKind::interleaved},
                                                                   {"zero_bubble", ScheduleKind::zero_bubble},
                                                                   {"dualpipe", ScheduleKind::dualpipe}}));
    case LayoutKey::zero_bubble:
      return static_cast<std::int64_t>(node.as_word<ZeroBubble>({{"h1", ZeroBubble::h1},
                                                                 {"h2", ZeroBubble::h2},
                                                                 {"v", ZeroBubble::v},
                                                                 {"v_half", ZeroBubble::v_half},
                                                                 {"v_min", ZeroBubble::v_min}}));
    default:
      return node.as_count();
  }
}

// What most layouts fail in check_schedule, without the sentences that it makes of each.
bool fills_pipeline(const TrainingParallelism& p, std::int64_t micro_batches) {
  if ((p.schedule == ScheduleKind::interleaved) != (p.virtual_stages > 1)) return false;
  if (p.schedule == ScheduleKind::interleaved) return p.pp > 1 && micro_batches % p.pp == 0;
  if (p.schedule == ScheduleKind::dualpipe) return p.pp % 2 == 0 && micro_batches % 2 == 0;
  return true;
}

}  // namespace

std::optional<LayoutKey> layout_key_at(std::string_view path) {
  for (const auto& [name, key] : kKeys) {
    if (name == path) return key;
  }
  return std::nullopt;
}

LayoutValue decode_layout_value(LayoutKey key, const spec::Value& value) {
  spec::Decoding decoding;
  LayoutValue result;
  for (const auto& [name, known] : kKeys) {
    if (known != key) continue;
    const Node node(&value, std::string(name), &decoding);
    if (!node.is_present()) {
      node.fail("a value is missing");
    } else if (key == LayoutKey::recompute) {
      result.recompute = graph::decode_recompute(node);
    } else {
      result.number = read_value(key, node);
    }
  }
  decoding.diagnostics.throw_if_any();
  return result;
}

void set_layout_key(LayoutKey key, const LayoutValue& value, OpenLayout& layout) {
  predict::Training& t = layout.training;
  TrainingParallelism& p = t.parallelism;
  const std::int64_t n = value.number;
  switch (key) {
    case LayoutKey::tp:
      p.tp = n;
      return;
    case LayoutKey::pp:
      p.pp = n;
      return;
    case LayoutKey::dp:
      p.dp = n;
      return;
    case LayoutKey::cp:
      p.cp = n;
      return;
    case LayoutKey::ep:
      p.ep = n;
      return;
    case LayoutKey::moe_tp:
      p.moe_tp = n;
      layout.has_moe_tp = true;
      return;
    case LayoutKey::sp:
      p.sp = n != 0;
      return;
    case LayoutKey::zero:
      p.zero = static_cast<ZeroStage>(n);
      return;
    case LayoutKey::hsdp_shard:
      p.hsdp_shard = n;
      return;
    case LayoutKey::schedule:
      p.schedule = static_cast<ScheduleKind>(n);
      layout.has_schedule = true;
      return;
    case LayoutKey::zero_bubble:
      p.zero_bubble = static_cast<ZeroBubble>(n);
      return;
    case LayoutKey::virtual_stages:
      p.virtual_stages = n;
      return;
    case LayoutKey::micro_batch:
      t.micro_batch = n;
      return;
    case LayoutKey::global_batch:
      t.global_batch = n;
      return;
    case LayoutKey::sequence:
      t.sequence = n;
      return;
    case LayoutKey::recompute:
      t.recompute = value.recompute;
      return;
    case LayoutKey::overlap_grad_reduce:
      t.overlap.grad_reduce = n != 0;
      return;
    case LayoutKey::overlap_param_gather:
      t.overlap.param_gather = n != 0;
      return;
    case LayoutKey::overlap_tp:
      t.overlap.tp = n != 0;
      return;
  }
  MLOSIM_CHECK(false);
}

bool complete_layout(const graph::ModelSpec& model, OpenLayout& layout) {
  predict::Training& t = layout.training;
  TrainingParallelism& p = t.parallelism;
  if (layout.chips > 0) {
    const std::int64_t replica = p.tp * p.pp * p.cp;
    if (layout.chips % replica != 0) return false;
    p.dp = layout.chips / replica;
  }
  if (t.global_batch % (p.dp * t.micro_batch) != 0) return false;
  if (!layout.has_moe_tp) p.moe_tp = !model.moe || p.ep > 1 ? 1 : p.tp;
  if (!layout.has_schedule) p.schedule = p.virtual_stages > 1 ? ScheduleKind::interleaved : ScheduleKind::one_f_one_b;
  if (p.zero_bubble != ZeroBubble::h1 && p.schedule != ScheduleKind::zero_bubble) return false;
  if (!model.moe && p.ep * p.moe_tp > 1) return false;
  if (p.hsdp_shard > 0 && p.zero == ZeroStage::none) return false;
  return fills_pipeline(p, t.micro_batches()) && plan::can_train(model, p, t.global_batch, t.micro_batch, t.sequence);
}

bool is_redundant(const OpenLayout& layout) {
  const predict::Training& t = layout.training;
  const TrainingParallelism& p = t.parallelism;
  const auto is_off = [](const std::optional<bool>& flag) { return flag && !*flag; };
  const bool has_replicas = p.replicas() > 1;
  if (p.sp && p.tp == 1) return true;
  if (p.pp == 1 && p.schedule != ScheduleKind::one_f_one_b) return true;
  if (p.schedule == ScheduleKind::interleaved && p.virtual_stages == 1) return true;
  if (!has_replicas && (p.zero != ZeroStage::none || is_off(t.overlap.grad_reduce))) return true;
  if (p.pp > 1 && p.zero > ZeroStage::optimizer) return true;  // nothing more is shared out beside a pipeline
  if ((!has_replicas || p.zero == ZeroStage::none) && is_off(t.overlap.param_gather)) return true;
  return p.tp == 1 && is_off(t.overlap.tp);
}

}  // namespace mlosim::explore
