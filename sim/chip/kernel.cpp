#include "sim/chip/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/chip/play_kernel.hpp"
#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"
#include "sim/units/check.hpp"

namespace mlosim::chip {
namespace {

KernelPrice price_roofline(const work::Operator& op, const KernelContext& context) {
  const work::OpWork work = work::work_of(op);
  KernelPrice price;
  price.bounds = bounds_of(work, context);
  price.time = price.bounds.largest();
  price.limiter = limiter_of({.matrix = price.bounds.matrix,
                              .vector = price.bounds.vector,
                              .l2 = {},
                              .hbm = price.bounds.memory,
                              .latency = {},
                              .power = {}});
  if (price.time > Seconds(0)) {
    price.use.units = std::max(price.bounds.matrix, price.bounds.vector) / price.time;
    price.use.memory = price.bounds.memory / price.time;
  }
  price.plan.device_read = work.read;
  price.plan.device_written = work.written;
  price.work = work;
  price.energy_by_part = energy_of(context.chip, work, work.bytes(), price.time);
  price.energy = price.energy_by_part.total();
  return price;
}

// Elementwise kernels of a GPU stream through one level and contend with nobody: their closed form is what a play would
// give.
struct Pricer {
  const KernelContext& context;
  Fidelity fidelity;

  KernelPrice operator()(const work::Gemm& op) const {
    return context.chip.kind == spec::ChipKind::simt ? price_gemm_simt(op, context, fidelity)
                                                     : price_gemm_systolic(op, context, fidelity);
  }
  KernelPrice operator()(const work::AttentionPrefill& op) const {
    return price_attention_prefill(op, context, fidelity);
  }
  KernelPrice operator()(const work::AttentionDecode& op) const {
    return price_attention_decode(op, context, fidelity);
  }
  KernelPrice operator()(const work::MlaPrefill& op) const { return price_mla_prefill(op, context, fidelity); }
  KernelPrice operator()(const work::MlaDecode& op) const { return price_mla_decode(op, context, fidelity); }
  KernelPrice operator()(const work::MoeGemm& op) const { return price_moe(op, context, fidelity); }
  KernelPrice operator()(const work::Elementwise& op) const {
    return plays_steps() ? play_elementwise_systolic(op, context) : price_elementwise(op, context);
  }
  KernelPrice operator()(const work::Embedding& op) const {
    return plays_steps() ? play_embedding_systolic(op, context) : price_embedding(op, context);
  }
  KernelPrice operator()(const work::Sampling& op) const {
    return plays_steps() ? play_sampling_systolic(op, context) : price_sampling(op, context);
  }
  KernelPrice operator()(const work::Collective&) const { MLOSIM_CHECK(false); }

  bool plays_steps() const { return fidelity == Fidelity::event && context.chip.kind == spec::ChipKind::systolic; }
};

}  // namespace

std::string_view name_of(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::roofline:
      return "roofline";
    case Fidelity::analytic:
      return "analytic";
    case Fidelity::event:
      return "event";
  }
  MLOSIM_CHECK(false);
}

std::string_view name_of(Resource resource) {
  switch (resource) {
    case Resource::matrix_unit:
      return "matrix_unit";
    case Resource::vector_unit:
      return "vector_unit";
    case Resource::l2_bandwidth:
      return "l2_bandwidth";
    case Resource::hbm_bandwidth:
      return "hbm_bandwidth";
    case Resource::latency:
      return "latency";
    case Resource::power:
      return "power";
    case Resource::launch:
      return "launch";
    case Resource::host:
      return "host";
    case Resource::link_bandwidth:
      return "link_bandwidth";
    case Resource::link_latency:
      return "link_latency";
    case Resource::pipeline:
      return "pipeline";
  }
  MLOSIM_CHECK(false);
}

Seconds Bounds::largest() const { return std::max({matrix, vector, memory}); }

std::string describe(const KernelPlan& plan) {
  if (plan.tile_n == 1 && plan.tile_m == 1) return "";
  std::string text = fmt::format("{}x{}", plan.tile_n, plan.tile_m);
  if (plan.units_per_tile > 1) text += fmt::format(" on {} units", plan.units_per_tile);
  if (plan.split > 1) text += fmt::format(" split {}", plan.split);
  return text;
}

KernelPrice price_kernel(const work::Operator& op, const KernelContext& context, Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::roofline:
      return price_roofline(op, context);
    case Fidelity::analytic:
      return std::visit(Pricer{context, fidelity}, op);
    case Fidelity::event: {
      // GPU kernels are played from the plan of their closed form, where they can be.
      if (context.chip.kind == spec::ChipKind::simt) return std::visit(Pricer{context, fidelity}, op);
      const KernelPrice closed = std::visit(Pricer{context, Fidelity::analytic}, op);
      return can_be_played(closed, context) ? std::visit(Pricer{context, fidelity}, op) : closed;
    }
  }
  MLOSIM_CHECK(false);
}

}  // namespace mlosim::chip
