#include "validate/cuda/device/interruption.hpp"

#include <csignal>
#include <initializer_list>

namespace mlosim::measure {
namespace {

// A signal handler can reach nothing but a variable of static storage.
volatile std::sig_atomic_t received = 0;

void remember(int signal) { received = signal; }

}  // namespace

void listen_for_interruption() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
}

int interruption() { return received; }

}  // namespace mlosim::measure
