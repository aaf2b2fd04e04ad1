// The wire between the processes of a study over MPI (Boost.MPI). Loaded by models/explore/module.cpp.

#include <mpi.h>

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>
#include <boost/mpi/exception.hpp>
#include <list>
#include <utility>

#include "models/explore/wire.hpp"

namespace {

namespace mpi = boost::mpi;
using mlosim::explore::Wire;

constexpr int kTag = 1;

class MpiWire : public Wire {
 public:
  MpiWire() : environment_(mpi::threading::funneled, false) {
    // A process that is lost must not take the others with it.
    MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN);
  }
  // Finalizing waits for every process: those that are lost are not waited for, and so it is left to close().
  ~MpiWire() override = default;

  int rank() const override { return world_.rank(); }
  int size() const override { return world_.size(); }

  void send(int to, const std::string& bytes) override {
    sent_.remove_if([](Sent& letter) {
      try {
        return letter.request.test().has_value();
      } catch (const mpi::exception&) {
        return true;
      }
    });
    Sent& letter = sent_.emplace_back();
    letter.bytes = bytes;
    try {
      letter.request = world_.isend(to, kTag, letter.bytes.data(), static_cast<int>(letter.bytes.size()));
    } catch (const mpi::exception&) {  // it is gone: what it had to do is done by others
      sent_.pop_back();
    }
  }

  std::optional<Letter> receive() override {
    try {
      const auto status = world_.iprobe(mpi::any_source, kTag);
      if (!status) return std::nullopt;
      Letter letter;
      letter.from = status->source();
      letter.bytes.resize(static_cast<std::size_t>(status->count<char>().value_or(0)));
      world_.recv(letter.from, kTag, letter.bytes.data(), static_cast<int>(letter.bytes.size()));
      return letter;
    } catch (const mpi::exception&) {
      return std::nullopt;
    }
  }

  void close() override {
    for (Sent& letter : sent_) letter.request.wait();
    sent_.clear();
    MPI_Finalize();
  }

 private:
  struct Sent {
    std::string bytes;
    mpi::request request;
  };

  // Its destructor does nothing once MPI is finalized.
  mpi::environment environment_;
  mpi::communicator world_;
  std::list<Sent> sent_;
};

}  // namespace

extern "C" Wire* mlosim_open_wire() { return new MpiWire; }
