#include "models/predict/step_player.hpp"

#include "sim/machine/play.hpp"
#include "sim/machine/play_tiles.hpp"

namespace mlosim::predict {

report::StepReport StepPlayer::play(const std::string& phase, const machine::Program& program,
                                    machine::PriceBook& prices) {
  return play(phase, program, prices, hardware_.system.chip.launch);
}

report::StepReport StepPlayer::play(const std::string& phase, const machine::Program& program,
                                    machine::PriceBook& prices, const spec::LaunchSpec& launch) {
  report::StepReader reader(program);
  report::TaskLog log;
  event::Facts<machine::TaskFact> facts;
  facts.attach(reader);
  if (trace_) facts.attach(log);
  const bool in_tiles = machine::is_playable_in_tiles(program, prices);
  const std::uint64_t events_before = prices.events();
  const machine::PlayResult result =
      in_tiles ? machine::play_tiles(program, prices, facts) : machine::play(program, prices, launch, facts);
  const spec::PowerSpec& power = hardware_.system.chip.power;
  report::StepReport report = reader.build(result, power.static_power());
  report.events += static_cast<double>(prices.events() - events_before);
  for (report::OpTotal& op : report.ops) op.pricing = prices.options();
  const double stretch = report.throttle(power);
  if (stretch > 1) report.stretch(stretch, power.static_power());
  if (trace_) trace_->add(phase, program, log.facts, result.makespan, stretch);
  return report;
}

}  // namespace mlosim::predict
