// Plays streams that do not wait for each other tile by tile: kernels share the units, caches and memory of the chip as
// their CTAs do (sim/chip/concurrent.hpp), where play() gives each its share. For a few kernels, not for whole
// networks.
#pragma once

#include "sim/machine/play.hpp"

namespace mlosim::machine {

// Whether this program is to be played so: Fidelity::event on a GPU, tasks on several streams, and no dependency but
// the order of each stream.
bool is_playable_in_tiles(const Program& program, const PriceBook& prices);

// Requires: is_playable_in_tiles. All streams start after the lead time; facts come as play() tells them, with the
// price of each task alone. Throws as price_operator.
PlayResult play_tiles(const Program& program, PriceBook& prices, const event::Facts<TaskFact>& facts);

}  // namespace mlosim::machine
