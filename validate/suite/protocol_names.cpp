#include "validate/suite/protocol_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/predict/workload.hpp"
#include "sim/spec/document.hpp"
#include "sim/spec/spelling.hpp"
#include "validate/suite/decode_row.hpp"
#include "validate/suite/protocol.hpp"

namespace mlosim::suite {
namespace {

// The names below every `kernels:` of a document.
void collect_kernels(const spec::Value& value, std::set<std::string>& names) {
  for (const spec::Member& member : value.members) {
    if (member.key == "kernels") {
      for (const spec::Member& kernel : member.value.members) names.insert(kernel.key);
    }
    collect_kernels(member.value, names);
  }
}

// The operators' one decoder says which words it knows.
void check_operator(const spec::Node& at) {
  spec::Value op = *at.value();
  spec::Value entry;
  entry.kind = spec::Value::Kind::mapping;
  entry.members.push_back({"op", op.place(), std::move(op)});
  spec::Decoding decoding;
  predict::decode_op(spec::Node(&entry, "entry", &decoding), 1);
  for (const spec::Diagnostic& d : decoding.diagnostics.list()) {
    if (d.path.ends_with(".op")) at.fail(d.message, d.hint);
  }
}

}  // namespace

void ProtocolNames::check_name(const spec::Node& at, spec::Shelf shelf, std::string_view name) const {
  if (library_.find(shelf, name)) return;
  // A chip's name is a system of that chip alone.
  if (shelf == spec::Shelf::systems && library_.find(spec::Shelf::chips, name)) return;
  std::string_view singular = spec::name_of(shelf);
  singular.remove_suffix(1);
  at.fail(fmt::format("no {} is called '{}'", singular, name), spec::spelling_hint(name, library_.names(shelf)));
}

void ProtocolNames::check_chips(spec::Node by_device) const {
  for (const auto& [device, time] : by_device.members()) check_name(time, spec::Shelf::chips, device);
}

void ProtocolNames::check_device_pattern(const spec::Node& node, std::string_view pattern) const {
  if (library_.find(spec::Shelf::chips, pattern)) return;
  const std::vector<std::string> chips = library_.names(spec::Shelf::chips);
  if (std::any_of(chips.begin(), chips.end(), [&](const std::string& chip) { return matches(pattern, chip); })) return;
  node.fail(fmt::format("no chip's name matches '{}'", pattern), spec::spelling_hint(pattern, chips));
}

const std::vector<std::string>& ProtocolNames::kernels_of(const std::string& runtime) {
  const auto [entry, is_new] = kernels_.try_emplace(runtime);
  if (!is_new) return entry->second;
  std::set<std::string> names;
  const auto collect = [&](spec::Shelf shelf, const std::string& name) {
    if (const auto file = library_.find(shelf, name)) collect_kernels(spec::read_document(*file), names);
  };
  for (const std::string& name :
       runtime.empty() ? library_.names(spec::Shelf::runtimes) : std::vector<std::string>{runtime})
    collect(spec::Shelf::runtimes, name);
  for (const std::string& name : library_.names(spec::Shelf::families)) collect(spec::Shelf::families, name);
  entry->second.assign(names.begin(), names.end());
  return entry->second;
}

void ProtocolNames::check_kernel(const spec::Node& node, const Protocol& protocol) {
  const std::vector<std::string>& known = kernels_of(protocol.runtime);
  const auto is_meant = [&](const std::string& name) { return name.starts_with(protocol.kernel); };
  if (std::any_of(known.begin(), known.end(), is_meant)) return;
  node.fail(fmt::format("no kernel of {} is called '{}'",
                        protocol.runtime.empty() ? "any runtime" : "'" + protocol.runtime + "'", protocol.kernel),
            spec::spelling_hint(protocol.kernel, known));
}

void ProtocolNames::check(spec::Node node, const Protocol& protocol) {
  if (node.has("runtime")) check_name(node.child("runtime"), spec::Shelf::runtimes, protocol.runtime);
  if (node.has("kernel")) check_kernel(node.child("kernel"), protocol);
  if (node.has("device")) check_device_pattern(node.child("device"), protocol.device);
  check_chips(node.child("host_by_device"));
  check_chips(node.child("added_by_device"));
  for (const auto& [topology, system] : node.child("systems").members())
    check_name(system, spec::Shelf::systems, system.as_text());
  for (const auto& [op, meant] : node.child("operators").members()) check_operator(meant);
  const std::vector<std::string> formats = format_names();
  for (const auto& [dtype, meant] : node.child("formats").members()) {
    const std::string format = meant.as_text();
    if (std::find(formats.begin(), formats.end(), format) == formats.end())
      meant.fail(fmt::format("no format is called '{}'", format), spec::spelling_hint(format, formats));
  }
}

}  // namespace mlosim::suite
