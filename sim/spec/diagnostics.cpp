#include "sim/spec/diagnostics.hpp"

#include <fmt/format.h>

namespace mlosim::spec {
namespace {

std::string render_all(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += render_diagnostic(diagnostic);
  }
  return text;
}

}  // namespace

std::string render_diagnostic(const Diagnostic& d) {
  std::string text;
  if (!d.place.file.empty()) text += d.place.file + ":";
  if (d.place.line > 0) text += fmt::format("{}:{}:", d.place.line, d.place.column);
  if (!text.empty()) text += ' ';
  if (!d.path.empty()) text += d.path + ": ";
  text += d.message;
  if (!d.hint.empty()) text += "; " + d.hint;
  return text;
}

InputError::InputError(std::vector<Diagnostic> diagnostics)
    : std::runtime_error(render_all(diagnostics)), diagnostics_(std::move(diagnostics)) {}

InputError::InputError(const std::string& message, const std::string& hint)
    : InputError(std::vector<Diagnostic>{{.place = {}, .path = "", .message = message, .hint = hint}}) {}

void Diagnostics::add(Diagnostic diagnostic) {
  const std::string text = render_diagnostic(diagnostic);
  for (const Diagnostic& known : list_) {
    if (render_diagnostic(known) == text) return;
  }
  list_.push_back(std::move(diagnostic));
}

void Diagnostics::throw_if_any() const {
  if (!list_.empty()) throw InputError(list_);
}

}  // namespace mlosim::spec
