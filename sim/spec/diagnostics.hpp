// What is wrong with an input, where, and what to write instead. Every decoder collects diagnostics and goes on, so
// that one run reports all mistakes of a file; InputError carries them to the command line (exit code 2).
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace mlosim::spec {

// A place in an input file; line and column count from 1, 0 means that there is none.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

struct Diagnostic {
  Place place;
  std::string path;     // "chip.hbm.bandwidth"; empty where the message is about the whole file
  std::string message;  // a sentence without a full stop
  std::string hint;     // what to write instead; may be empty
};

// "file:line:column: path: message; hint".
std::string render_diagnostic(const Diagnostic& diagnostic);

// One or more mistakes in what the user gave.
class InputError : public std::runtime_error {
 public:
  explicit InputError(std::vector<Diagnostic> diagnostics);
  // A mistake that has no place in a file, such as an unknown name on the command line.
  explicit InputError(const std::string& message, const std::string& hint = "");

  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

class Diagnostics {
 public:
  // A mistake that is already there, word for word and at the same place, is not added again.
  void add(Diagnostic diagnostic);
  bool empty() const { return list_.empty(); }
  const std::vector<Diagnostic>& list() const { return list_; }
  // Throws InputError if anything was added.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> list_;
};

}  // namespace mlosim::spec
