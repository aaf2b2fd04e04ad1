#include "validate/suite/protocol.hpp"

#include <algorithm>

#include "sim/spec/document.hpp"
#include "sim/spec/node.hpp"
#include "validate/suite/protocol_names.hpp"

namespace mlosim::suite {
namespace {

std::map<std::string, std::string> decode_words(spec::Node node) {
  std::map<std::string, std::string> words;
  for (auto& [key, value] : node.members()) words[key] = value.as_text();
  return words;
}

// "[[2688, 1856], …]": hidden and inter of each.
std::vector<ExpertShape> decode_expert_shapes(spec::Node node) {
  std::vector<ExpertShape> shapes;
  for (spec::Node& item : node.items()) {
    const std::vector<spec::Node> sides = item.items();
    if (sides.size() == 2)
      shapes.push_back({.hidden = sides[0].as_count(), .inter = sides[1].as_count()});
    else
      item.fail("expected two numbers, hidden and inter");
  }
  return shapes;
}

// The fields that a file and its entries share; what an entry leaves out is the file's.
Protocol decode_fields(spec::Node& node, Protocol p, ProtocolNames& names) {
  p.op = node.text_or("op", p.op);
  p.kind = node.text_or("kind", p.kind);
  p.device = node.text_or("device", p.device);
  p.dtype = node.text_or("dtype", p.dtype);
  p.has_power = node.flag_or("has_power", p.has_power);
  p.runtime = node.text_or("runtime", p.runtime);
  p.library_version = node.text_or("library_version", p.library_version);
  p.kernel = node.text_or("kernel", p.kernel);
  p.whole_layer = node.flag_or("whole_layer", p.whole_layer);
  p.launch = node.word_or<spec::LaunchPath>(
      "launch", {{"eager", spec::LaunchPath::eager}, {"graph", spec::LaunchPath::graph}}, p.launch);
  p.weights = node.word_or<Weights>(
      "weights", {{"rotated", Weights::rotated}, {"cold", Weights::cold}, {"warm", Weights::warm}}, p.weights);
  p.quantises_activations = node.flag_or("quantises_activations", p.quantises_activations);
  p.custom_all_reduce = node.flag_or("custom_all_reduce", p.custom_all_reduce);
  p.copies_message = node.flag_or("copies_message", p.copies_message);
  p.sustained = node.flag_or("sustained", p.sustained);
  p.added = node.value_or<Seconds>("added", p.added, spec::Range::non_negative);
  p.host = node.value_or<Seconds>("host", p.host, spec::Range::non_negative);
  for (auto& [device, host] : node.child("host_by_device").members()) p.host_by_device[device] = host.as<Seconds>();
  for (auto& [device, added] : node.child("added_by_device").members())
    p.added_by_device[device] = added.as<Seconds>(spec::Range::non_negative);
  p.keeps_tensors = node.flag_or("keeps_tensors", p.keeps_tensors);
  for (const auto& [op, meant] : decode_words(node.child("operators"))) p.operators[op] = meant;
  for (const auto& [dtype, meant] : decode_words(node.child("formats"))) p.formats[dtype] = meant;
  if (node.has("ungated_experts")) p.ungated_experts = decode_expert_shapes(node.child("ungated_experts"));
  for (const auto& [topology, system] : decode_words(node.child("systems"))) p.systems[topology] = system;
  if (node.has("unusable")) p.unusable = node.require_text("unusable");
  names.check(node, p);
  return p;
}

std::vector<Protocol> decode_protocols(spec::Node node, ProtocolNames& names) {
  node.expect_schema("mlosim/protocol/1");
  Protocol file;
  file.name = node.require_text("name");
  node.require_text("description");
  file.source = node.require_text("source");
  file.software = "*";
  file.op = "*";
  file.kind = "*";
  file.device = "*";
  file.dtype = "*";
  file = decode_fields(node, file, names);
  std::vector<Protocol> protocols;
  for (spec::Node& entry : node.child("software").items()) {
    Protocol p = file;
    p.software = entry.require_text("match");
    p = decode_fields(entry, p, names);
    p.name = file.name + ": " + p.software;
    entry.finish();
    protocols.push_back(p);
  }
  if (protocols.empty()) protocols.push_back(file);
  node.finish();
  return protocols;
}

std::vector<Protocol> read_file(const std::string& path, ProtocolNames& names) {
  const spec::Value document = spec::read_document(path);
  spec::Decoding decoding;
  std::vector<Protocol> protocols = decode_protocols(spec::Node(&document, "protocol", &decoding), names);
  decoding.diagnostics.throw_if_any();
  return protocols;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  // Where the last '*' was seen, and how far the text was when it was: what it stands for grows from there.
  std::size_t p = 0, t = 0, star = std::string_view::npos, grown = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      grown = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++grown;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Seconds Protocol::added_on(const std::string& chip) const {
  const auto own = added_by_device.find(chip);
  return own == added_by_device.end() ? added : own->second;
}

Seconds Protocol::host_on(const std::string& chip) const {
  const auto own = host_by_device.find(chip);
  return own == host_by_device.end() ? host : own->second;
}

std::vector<Protocol> read_protocols(const spec::Library& library, const std::string& path) {
  ProtocolNames names(library);
  return read_file(path, names);
}

ProtocolBook::ProtocolBook(const spec::Library& library) {
  ProtocolNames names(library);
  for (const std::string& name : library.names(spec::Shelf::protocols)) {
    for (Protocol& p : read_file(library.require(spec::Shelf::protocols, name), names))
      protocols_.push_back(std::move(p));
  }
  // What covers any source covers what is left.
  std::stable_partition(protocols_.begin(), protocols_.end(), [](const Protocol& p) { return p.source != "*"; });
}

const Protocol* ProtocolBook::find(const RowOrigin& row) const {
  for (const Protocol& p : protocols_) {
    if (p.has_power && !row.has_power) continue;
    if (matches(p.source, row.source) && matches(p.software, row.software) && matches(p.op, row.op) &&
        matches(p.kind, row.kind) && matches(p.device, row.device) && matches(p.dtype, row.dtype))
      return &p;
  }
  return nullptr;
}

}  // namespace mlosim::suite
