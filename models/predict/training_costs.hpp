// Training steps of one network on one machine in closed form, for many layouts: what layers cost a rank is priced once
// for all layouts that cut them alike, so that a layout costs microseconds. `predict --fidelity analytic` and the
// exploration of layouts use the same object and get the same answers.
//
// Layers follow one another, so their times add up (sim/report/serial_report.hpp); data-parallel collectives beside
// them are models/plan/overlapped_layers.hpp, the pipeline is models/plan/pipeline_time.hpp. What it cannot see, and
// the played step does: how a rank that is slow at one place delays the others (it slows down all of the step).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/plan/training_memory.hpp"
#include "models/predict/plan_training.hpp"
#include "sim/machine/price_book.hpp"
#include "sim/report/step_report.hpp"

namespace mlosim::predict {

struct TrainingEstimate {
  report::StepCost total;    // of a chip: time of the fullest pipeline rank, energy and traffic of the mean one
  plan::StageMemory memory;  // of the stage that needs most
  Bytes capacity;            // that the stack may use of a chip
  Flops model_flops;         // of the step, on all chips
  Flops hardware_flops;      // the same with what is computed again
  std::int64_t fullest = 0;  // that rank

  bool fits() const { return memory.total() <= capacity; }
};

// Serves one thread. The subject's parts must outlive it.
class TrainingCosts {
 public:
  TrainingCosts(const TrainingSubject& subject, const machine::PriceOptions& options);
  ~TrainingCosts();

  // `training` has passed check_training, and is of the same sequence length throughout. Throws spec::InputError where
  // the machine cannot run an operator.
  TrainingEstimate estimate(const Training& training);

  // What estimate() says of the memory; nothing is priced for it.
  bool fits(const Training& training);

  // To be called where numbers of the subject's machine have changed in place, but none of its runtime and not how many
  // chips its fabric joins: everything is priced anew, and what was planned stays.
  void renew_prices(const machine::PriceOptions& options);
  // The same where none of the chip's numbers have: its kernels keep their prices.
  void renew_network_prices();

  // The operators of the fullest rank, each with all its runs of the step.
  std::vector<report::OpTotal> operators(const Training& training, std::int64_t fullest);

 private:
  class Book;
  std::unique_ptr<Book> book_;
};

}  // namespace mlosim::predict
