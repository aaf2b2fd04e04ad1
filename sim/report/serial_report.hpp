// The closed form of play() and StepReader for programs whose tasks follow one another: nothing runs beside them, so
// their times add up.
//
// A host that launches kernel by kernel is taken to run ahead when the program begins: it takes the longer of all its
// tasks and of all their submissions.
#pragma once

#include "sim/machine/price_book.hpp"
#include "sim/machine/program.hpp"
#include "sim/report/step_report.hpp"

namespace mlosim::report {

struct SerialCost {
  StepCost cost;
  chip::ChipUse use;  // of its compute tasks, on average over their main parts
};

// Requires: tasks of different streams wait for one another. Throws as PriceBook::price.
SerialCost serial_cost(const machine::Program& program, machine::PriceBook& prices, const spec::LaunchSpec& launch,
                       Watts static_power);

// The same with its operators.
StepReport serial_report(const machine::Program& program, machine::PriceBook& prices, const spec::LaunchSpec& launch,
                         Watts static_power);

}  // namespace mlosim::report
