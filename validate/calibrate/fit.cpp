#include "validate/calibrate/fit.hpp"

#include <ceres/ceres.h>

#include <algorithm>
#include <cmath>

#include "sim/spec/diagnostics.hpp"
#include "sim/units/check.hpp"

namespace mlosim::calibrate {
namespace {

// Prices all rows at once when Ceres moves to a new point: its cost functions, one a row, only look their row up.
class RowsAtPoint final : public ceres::EvaluationCallback {
 public:
  RowsAtPoint(const Objective& objective, const Setting& setting, const std::vector<std::size_t>& free,
              const std::vector<std::size_t>& subset, const std::vector<double>& start)
      : objective_(objective), setting_(setting), free_(free), subset_(subset), position_(start.size()) {
    for (std::size_t j = 0; j < free_.size(); ++j) position_[j] = parameter(j).position_of(start[j]);
  }

  void PrepareForEvaluation(bool with_jacobians, bool is_new_point) override {
    if (is_new_point || residuals_.empty()) {
      residuals_ = objective_.residuals(setting(), subset_);
      jacobian_.clear();
    }
    if (with_jacobians && jacobian_.empty()) jacobian_ = objective_.jacobian(setting(), free_, values(), subset_);
  }

  const FreeParameter& parameter(std::size_t j) const { return objective_.parameters()[free_[j]]; }
  double residual(std::size_t row) const { return residuals_[row]; }
  const std::vector<double>& gradient(std::size_t row) const { return jacobian_[row]; }
  double* position() { return position_.data(); }
  std::vector<double> values() const {
    std::vector<double> values;
    for (std::size_t j = 0; j < free_.size(); ++j) values.push_back(parameter(j).value_at(position_[j]));
    return values;
  }
  Setting setting() const {
    Setting setting = setting_;
    const std::vector<double> at = values();
    for (std::size_t j = 0; j < free_.size(); ++j) setting[free_[j]] = parameter(j).exact_text(at[j]);
    return setting;
  }

 private:
  const Objective& objective_;
  const Setting& setting_;
  const std::vector<std::size_t>& free_;
  const std::vector<std::size_t>& subset_;
  std::vector<double> position_;
  std::vector<double> residuals_;
  Jacobian jacobian_;
};

class RowCost final : public ceres::CostFunction {
 public:
  RowCost(const RowsAtPoint& rows, std::size_t row, int parameters) : rows_(rows), row_(row) {
    set_num_residuals(1);
    mutable_parameter_block_sizes()->push_back(parameters);
  }

  bool Evaluate(double const* const*, double* residuals, double** jacobians) const override {
    residuals[0] = rows_.residual(row_);
    if (jacobians && jacobians[0]) std::copy(rows_.gradient(row_).begin(), rows_.gradient(row_).end(), jacobians[0]);
    return true;
  }

 private:
  const RowsAtPoint& rows_;
  std::size_t row_;
};

class StopCallback final : public ceres::IterationCallback {
 public:
  explicit StopCallback(const std::function<bool()>& stop) : stop_(stop) {}
  ceres::CallbackReturnType operator()(const ceres::IterationSummary&) override {
    return stop_() ? ceres::SOLVER_TERMINATE_SUCCESSFULLY : ceres::SOLVER_CONTINUE;
  }

 private:
  const std::function<bool()>& stop_;
};

}  // namespace

double robust_cost(const std::vector<double>& residuals, double scale) {
  double sum = 0;
  for (const double r : residuals) sum += scale * scale * (std::sqrt(1 + r * r / (scale * scale)) - 1);
  return residuals.empty() ? 0 : sum / static_cast<double>(residuals.size());
}

Fit fit(const Objective& objective, const Setting& setting, const std::vector<std::size_t>& free,
        const std::vector<double>& start, const std::vector<std::size_t>& subset, const FitOptions& options) {
  RowsAtPoint rows(objective, setting, free, subset, start);
  const auto cost_here = [&] { return robust_cost(objective.residuals(rows.setting(), subset), options.loss_scale); };
  if (free.empty() || subset.empty()) return {.values = rows.values(), .cost = cost_here()};

  ceres::Problem::Options ownership;
  ownership.evaluation_callback = &rows;
  ceres::Problem problem(ownership);
  const int parameters = static_cast<int>(free.size());
  problem.AddParameterBlock(rows.position(), parameters);
  for (int j = 0; j < parameters; ++j) {
    const FreeParameter& p = rows.parameter(static_cast<std::size_t>(j));
    problem.SetParameterLowerBound(rows.position(), j, p.lowest_position());
    problem.SetParameterUpperBound(rows.position(), j, p.highest_position());
  }
  // The problem owns cost functions and losses.
  for (std::size_t i = 0; i < subset.size(); ++i) {
    problem.AddResidualBlock(new RowCost(rows, i, parameters), new ceres::SoftLOneLoss(options.loss_scale),
                             rows.position());
  }
  StopCallback stop(options.stop);
  ceres::Solver::Options solver;
  solver.linear_solver_type = ceres::DENSE_QR;
  solver.max_num_iterations = options.most_iterations;
  solver.function_tolerance = 1e-4;
  solver.parameter_tolerance = 1e-4;
  solver.use_nonmonotonic_steps = true;  // past the small steps that changes of plan leave in the cost
  solver.max_consecutive_nonmonotonic_steps = 3;
  solver.logging_type = ceres::SILENT;
  solver.callbacks.push_back(&stop);
  ceres::Solver::Summary summary;
  ceres::Solve(solver, &problem, &summary);
  return {.values = rows.values(), .cost = summary.final_cost / static_cast<double>(subset.size())};
}

}  // namespace mlosim::calibrate
