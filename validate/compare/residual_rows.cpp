#include "validate/compare/residual_rows.hpp"

#include <tbb/parallel_for.h>

#include <cmath>
#include <cstddef>
#include <map>
#include <tuple>
#include <utility>
#include <variant>

namespace mlosim::compare {
namespace {

constexpr std::size_t kFewestRowsOfLender = 25;

// `chip` as if its kernels were known from `lender` alone: its data sheet, the lender's cost parameters.
spec::Hardware borrow(const spec::Hardware& hardware, const spec::ChipSpec& lender) {
  spec::Hardware borrower = hardware;
  spec::ChipSpec& chip = borrower.system.chip;
  chip.gemm = lender.gemm;
  chip.prefill = lender.prefill;
  chip.decode = lender.decode;
  chip.mla_prefill = lender.mla_prefill;
  chip.mla_decode = lender.mla_decode;
  chip.moe = lender.moe;
  chip.elementwise = lender.elementwise;
  chip.systolic = lender.systolic;
  for (spec::MemoryLevel& level : chip.levels) {
    if (const spec::MemoryLevel* other = lender.find_level(level.name)) level.efficiency = other->efficiency;
  }
  return borrower;
}

class Collector {
 public:
  Collector(const std::vector<suite::Table>& tables, const Machines& machines) : machines_(machines) {
    for (const suite::Table& table : tables) {
      for (const suite::Measurement& row : table.rows) {
        if (!suite::is_in_fit_half(row.work)) rows_.push_back(&row);
      }
    }
  }

  ResidualRows collect() {
    find_lenders();
    std::vector<ResidualRows> by_row(rows_.size());
    tbb::parallel_for(std::size_t(0), rows_.size(), [&](std::size_t i) { by_row[i] = residuals_of(*rows_[i]); });
    ResidualRows all;
    for (const ResidualRows& row : by_row) {
      all.own.insert(all.own.end(), row.own.begin(), row.own.end());
      all.borrowed.insert(all.borrowed.end(), row.borrowed.begin(), row.borrowed.end());
    }
    return all;
  }

 private:
  // A chip under a runtime, and what was measured of it: rows by operator and format.
  struct Lender {
    const spec::Hardware* hardware = nullptr;
    std::map<std::pair<std::string, std::string>, std::size_t> rows;
  };
  using ChipAndRuntime = std::pair<std::string, std::string>;

  static bool is_collective(const suite::Measurement& row) {
    return std::holds_alternative<work::Collective>(row.work);
  }

  void find_lenders() {
    for (const suite::Measurement* row : rows_) {
      if (is_collective(*row)) continue;
      const spec::Hardware& hardware = machines_.of(*row);
      Lender& lender = lenders_[{hardware.system.chip.name, hardware.runtime.name}];
      if (!lender.hardware) lender.hardware = &hardware;
      ++lender.rows[{std::string(work::name_of(row->work)), predict::format_of(row->work)}];
    }
    for (const auto& [own, borrower] : lenders_) {
      for (const auto& [other, lender] : lenders_) {
        const spec::ChipSpec &chip = borrower.hardware->system.chip, &from = lender.hardware->system.chip;
        if (own.first != other.first && own.second == other.second && chip.kind == from.kind &&
            chip.vendor == from.vendor)
          borrowers_[own].emplace_back(&lender, borrow(*borrower.hardware, from));
      }
    }
  }

  static void add(std::vector<Residual>& residuals, const suite::Measurement& row, const spec::Hardware& hardware) {
    try {
      const Seconds time = predict_row(row, hardware).time;
      residuals.push_back({.key = predict::residual_key(row.work, hardware, time),
                           .log_ratio = std::log(row.measured / time),
                           .in_first_fold = suite::is_in_first_fold(row.work)});
    } catch (const spec::InputError&) {
      // The machine cannot run it: `mlosim validate` lists such rows.
    }
  }

  ResidualRows residuals_of(const suite::Measurement& row) const {
    ResidualRows found;
    const spec::Hardware& hardware = machines_.of(row);
    add(found.own, row, hardware);
    const auto borrowers = borrowers_.find({hardware.system.chip.name, hardware.runtime.name});
    if (is_collective(row) || found.own.empty() || borrowers == borrowers_.end()) return found;
    for (const auto& [lender, borrower] : borrowers->second) {
      const auto rows = lender->rows.find({found.own.front().key.op, found.own.front().key.format});
      if (rows == lender->rows.end() || rows->second < kFewestRowsOfLender) continue;
      std::vector<Residual> borrowed;
      add(borrowed, row, borrower);
      const spec::ChipSpec& from = lender->hardware->system.chip;
      for (Residual& residual : borrowed) found.borrowed.push_back({std::move(residual), from.name, from.family});
    }
    return found;
  }

  const Machines& machines_;
  std::vector<const suite::Measurement*> rows_;
  std::map<ChipAndRuntime, Lender> lenders_;
  std::map<ChipAndRuntime, std::vector<std::pair<const Lender*, spec::Hardware>>> borrowers_;
};

}  // namespace

ResidualRows collect_residuals(const std::vector<suite::Table>& tables, const Machines& machines) {
  return Collector(tables, machines).collect();
}

}  // namespace mlosim::compare
