#include <algorithm>
#include <cmath>

#include "sim/chip/pricing.hpp"
#include "sim/chip/systolic.hpp"

namespace mlosim::chip {
namespace {

constexpr Bytes kRegisterColumn(32);  // 8 sublanes of 4 bytes: what the second-minor dimension is padded to
constexpr double kLanes = 128;        // what the minor dimension is padded to
constexpr double kStreamShare = 0.5;  // of the scratchpad for what stays; the rest double-buffers what streams
constexpr double kStepEdge = 512;     // rows, columns and depth of a grid step that streams

double d(std::int64_t n) { return static_cast<double>(n); }

double round_up(double n, double granule) { return std::ceil(n / granule) * granule; }

Bytes scratchpads(const spec::ChipSpec& chip) { return chip.scratchpad()->capacity * d(chip.units); }

// The first grid step's operands: nothing computes while they arrive.
Seconds first_step(const spec::ChipSpec& chip, const ArrayProduct& product, Bytes element) {
  const double edge = std::min(product.k, kStepEdge);
  const Bytes bytes = edge * (std::min(product.m, kStepEdge) + std::min(product.n, kStepEdge)) * element;
  return chip.device_memory().latency + bytes / (chip.device_memory().bandwidth * chip.systolic.memory_efficiency);
}

// Grid steps of products one after the other, each double-buffered: max(DMA, compute), and the first DMA.
struct Pipeline {
  Seconds compute, memory, first;
  BlockedTraffic traffic;
};

Pipeline pipeline_of(const spec::ChipSpec& chip, const ArrayProduct& product, const OperandBytes& operands,
                     Bytes element) {
  Pipeline p;
  p.traffic = blocked_traffic(chip, product, operands);
  p.compute = array_time(chip, product);
  p.memory = (p.traffic.read + p.traffic.written) / (chip.device_memory().bandwidth * chip.systolic.memory_efficiency);
  p.first = first_step(chip, product, element);
  return p;
}

KernelPlan plan_of(const spec::ChipSpec& chip, const ArrayProduct& product, const Pipeline& p) {
  KernelPlan plan;
  plan.tile_m = static_cast<std::int64_t>(std::ceil(product.m / p.traffic.blocks_m));
  plan.tile_n = static_cast<std::int64_t>(std::ceil(product.n / p.traffic.blocks_n));
  plan.tile_k = static_cast<std::int64_t>(product.k);
  plan.tiles = p.traffic.blocks_m * p.traffic.blocks_n * product.copies;
  plan.waves = plan.tiles;
  plan.active_units = d(chip.units);
  plan.device_read = p.traffic.read;
  plan.device_written = p.traffic.written;
  plan.shared_cache = p.traffic.read + p.traffic.written;
  return plan;
}

}  // namespace

Seconds array_time(const spec::ChipSpec& chip, const ArrayProduct& product) {
  const double rows = d(chip.array.rows), cols = d(chip.array.cols), arrays = d(chip.array.count * chip.units);
  const double sublanes = kRegisterColumn / work::bytes_per_element(product.arithmetic);
  const double m = round_up(product.m, std::min(sublanes, d(chip.array.rows))), n = round_up(product.n, kLanes);
  const double depth = std::ceil(product.k / rows);
  // Passes or rows are shared out among the arrays; a pass lasts as long as the next block takes to shift in.
  const auto rows_of = [&](double blocks, double streamed) {
    const double passes = product.copies * depth * blocks;
    return std::min(std::ceil(passes / arrays) * std::max(streamed, rows),
                    passes * std::max(std::ceil(streamed / arrays), rows));
  };
  const double streamed = std::min(rows_of(std::ceil(n / cols), m), rows_of(std::ceil(m / cols), n));
  // Formats that the arrays multiply faster take more than a row a clock.
  const FlopsPerSecond row_rate = require_matrix_rate(chip, product.arithmetic) / (2 * rows * cols * arrays);
  return Flops(streamed / chip.systolic.matrix_efficiency) / row_rate +
         (rows + cols - 2 + chip.systolic.fill) / chip.clock;
}

BlockedTraffic blocked_traffic(const spec::ChipSpec& chip, const ArrayProduct& product, const OperandBytes& operands) {
  const Bytes room = scratchpads(chip) * kStreamShare;
  // How often the other operand is read when this one stays block by block.
  const auto blocks = [&](Bytes bytes) { return std::max(1.0, std::ceil(bytes / product.copies / room)); };
  // A block of the result that stays is square, but for the sides of the product.
  const double results = std::max(1.0, room / operands.c_element);
  const double side_m = std::min(product.m, std::max(std::sqrt(results), results / product.n));
  const double side_n = std::min(product.n, std::max(1.0, results / side_m));

  struct Order {
    double blocks_m, blocks_n;
  };
  const Order a_stays{blocks(operands.a), 1}, w_stays{1, blocks(operands.w)};
  const Order result_stays{std::ceil(product.m / side_m), std::ceil(product.n / side_n)};
  const auto read = [&](const Order& order) { return operands.a * order.blocks_n + operands.w * order.blocks_m; };
  const Order best =
      std::min({a_stays, w_stays, result_stays}, [&](const Order& x, const Order& y) { return read(x) < read(y); });
  return {.read = read(best), .written = operands.c, .blocks_m = best.blocks_m, .blocks_n = best.blocks_n};
}

KernelPrice price_gemm_systolic(const work::Gemm& op, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const work::OpWork work = work::work_of(op);
  const ArrayProduct product{
      .m = d(op.m), .n = d(op.n), .k = d(op.k), .copies = d(op.batch), .arithmetic = work.matrix_dtype};
  // A quantisation of the activations is fused: they are read in the format that they come in.
  const Bytes a_element = work::bytes_per_element(op.quantise_activations ? op.output : op.activations);
  const double copies = d(op.batch);
  const OperandBytes operands{.a = copies * d(op.m) * d(op.k) * a_element,
                              .w = work.weights,
                              .c = copies * d(op.m) * d(op.n) * work::bytes_per_element(op.output),
                              .c_element = Bytes(4)};
  const Pipeline p = pipeline_of(chip, product, operands, work::bytes_per_element(work.matrix_dtype));
  const Seconds undisturbed = std::max(p.compute, p.memory);
  const KernelPlan plan = plan_of(chip, product, p);
  const Seconds power = power_time(chip, dynamic_energy(chip, work, plan.device_read + plan.device_written),
                                   undisturbed, context.sustained);
  const ResourceTimes times{.matrix = p.compute,
                            .vector = {},
                            .l2 = {},
                            .hbm = p.memory,
                            .latency = {},
                            .power = power > undisturbed ? power : Seconds(0)};
  return close_price(context, work, plan, times, std::max(undisturbed, power), chip.systolic.fixed + p.first);
}

KernelPrice price_grouped_systolic(const work::MoeGemm& op, const GroupedRows& group, const KernelContext& context) {
  const spec::ChipSpec& chip = context.chip;
  const double width = d(op.inter) / d(op.tp), rows = group.rows / group.experts;
  const Bytes element = work::bytes_per_element(op.weights);
  const ArrayProduct up{.m = rows,
                        .n = op.gated ? 2 * width : width,
                        .k = d(op.hidden),
                        .copies = group.experts,
                        .arithmetic = group.work.matrix_dtype};
  const ArrayProduct down{
      .m = rows, .n = d(op.hidden), .k = width, .copies = group.experts, .arithmetic = group.work.matrix_dtype};
  KernelPlan plan;
  ResourceTimes times{};
  Seconds main, overhead;
  for (const ArrayProduct& product : {up, down}) {
    const double per_expert = product.copies * product.k;
    const OperandBytes operands{.a = per_expert * product.m * work::bytes_per_element(op.activations),
                                .w = per_expert * product.n * element,
                                .c = product.copies * product.m * product.n * Bytes(2),
                                .c_element = Bytes(4)};
    const Pipeline p = pipeline_of(chip, product, operands, element);
    main += std::max(p.compute, p.memory);
    overhead += chip.systolic.fixed + p.first;
    times.matrix += p.compute;
    times.hbm += p.memory;
    const Bytes read = plan.device_read, written = plan.device_written;
    plan = plan_of(chip, product, p);
    plan.device_read += read;
    plan.device_written += written;
  }
  const Seconds permute = group.permuted / (chip.device_memory().bandwidth * chip.systolic.memory_efficiency);
  main += permute;
  times.hbm += permute;
  overhead += 2 * chip.systolic.fixed;
  plan.kernels = 4;  // permute, up with its activation, down, combine
  plan.device_read += group.permuted / 2;
  plan.device_written += group.permuted / 2;
  const Seconds power = power_time(chip, dynamic_energy(chip, group.work, plan.device_read + plan.device_written), main,
                                   context.sustained);
  if (power > main) times.power = power;
  return close_price(context, group.work, plan, times, std::max(main, power), overhead);
}

}  // namespace mlosim::chip
