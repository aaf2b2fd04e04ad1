#include "validate/compare/residual_rows.hpp"

#include <tbb/parallel_for.h>

#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "validate/compare/lending.hpp"

namespace mlosim::compare {
namespace {

constexpr std::size_t kFewestRowsOfLender = 25;

class Collector {
 public:
  Collector(const std::vector<suite::Table>& tables, const Machines& machines, const Fineness& fineness)
      : machines_(machines), fineness_(fineness) {
    for (const suite::Table& table : tables) {
      for (const suite::Measurement& row : table.rows) {
        if (!suite::is_in_fit_half(row.work)) rows_.push_back(&row);
      }
    }
  }

  ResidualRows collect(const Progress& progress) {
    find_lenders();
    std::vector<ResidualRows> by_row(rows_.size());
    RowCount count(progress, rows_.size());
    tbb::parallel_for(std::size_t(0), rows_.size(), [&](std::size_t i) {
      by_row[i] = residuals_of(*rows_[i]);
      count.add();
    });
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
    std::map<std::string, work::Operator> ops;  // one of each of the rows' operators
  };
  struct Borrower {
    const Lender* lender = nullptr;
    spec::Hardware hardware;
    std::set<std::string> ops;  // whose kernels the pair tells of
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
      const std::string op(work::name_of(row->work));
      ++lender.rows[{op, predict::format_of(row->work)}];
      lender.ops.emplace(op, row->work);
    }
    for (const auto& [own, borrower] : lenders_) {
      for (const auto& [other, lender] : lenders_) {
        const spec::ChipSpec &chip = borrower.hardware->system.chip, &from = lender.hardware->system.chip;
        if (own.first == other.first || own.second != other.second || chip.kind != from.kind ||
            chip.vendor != from.vendor)
          continue;
        std::set<std::string> told;
        for (const auto& [op, example] : lender.ops) {
          if (tells_of_unfitted(*borrower.hardware, *lender.hardware, example)) told.insert(op);
        }
        borrowers_[own].push_back({&lender, borrow(*borrower.hardware, from), std::move(told)});
      }
    }
  }

  void add(std::vector<Residual>& residuals, const suite::Measurement& row, const spec::Hardware& hardware) const {
    try {
      const Seconds time = predict_row(row, hardware, fineness_).time;
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
    const predict::ResidualKey& key = found.own.front().key;
    for (const auto& [lender, borrower, told] : borrowers->second) {
      if (!told.contains(key.op)) continue;
      const auto rows = lender->rows.find({key.op, key.format});
      if (rows == lender->rows.end() || rows->second < kFewestRowsOfLender) continue;
      std::vector<Residual> borrowed;
      add(borrowed, row, borrower);
      const spec::ChipSpec& from = lender->hardware->system.chip;
      for (Residual& residual : borrowed) found.borrowed.push_back({std::move(residual), from.name, from.family});
    }
    return found;
  }

  const Machines& machines_;
  const Fineness& fineness_;
  std::vector<const suite::Measurement*> rows_;
  std::map<ChipAndRuntime, Lender> lenders_;
  std::map<ChipAndRuntime, std::vector<Borrower>> borrowers_;
};

}  // namespace

ResidualRows collect_residuals(const std::vector<suite::Table>& tables, const Machines& machines,
                               const Fineness& fineness, const Progress& progress) {
  return Collector(tables, machines, fineness).collect(progress);
}

}  // namespace mlosim::compare
