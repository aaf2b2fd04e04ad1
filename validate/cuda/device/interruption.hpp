// Whether the user has asked the run to end (Ctrl-C, or a scheduler's SIGTERM). The state that is being measured is
// finished first; asking a second time ends the program at once.
#pragma once

namespace mlosim::measure {

void listen_for_interruption();

// The signal, or 0.
int interruption();

}  // namespace mlosim::measure
