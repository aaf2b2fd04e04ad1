// How the processes of one study talk: MPI, where mlosim was started by it. The module that has MPI in it
// (tools/explore) is loaded then and only then, so that no other command waits for it.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace mlosim::explore {

class Wire {
 public:
  struct Letter {
    int from = 0;
    std::string bytes;
  };

  virtual ~Wire() = default;
  virtual int rank() const = 0;  // 0 leads
  virtual int size() const = 0;
  // Never waits for whom it is sent to.
  virtual void send(int to, const std::string& bytes) = 0;
  // What has come in; nothing where nothing has.
  virtual std::optional<Letter> receive() = 0;
  // Ends MPI, together with all others that are still there. Where some are lost it is not called: it would wait for
  // them.
  virtual void close() = 0;
};

// Whether the environment says that mlosim runs under mpirun or srun with others beside it.
bool is_under_mpi();

// Throws spec::InputError where the module is not there.
std::unique_ptr<Wire> open_wire();

}  // namespace mlosim::explore
