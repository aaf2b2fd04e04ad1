#include "sim/spec/hardware.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "sim/spec/runtime_document.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::spec {
namespace {

// The text of a member, or empty.
std::string text_of(const Value& document, std::string_view key) {
  const Value* member = document.find(key);
  return member && member->is_scalar() ? member->text : std::string();
}

void drop(Value& document, std::string_view key) {
  std::erase_if(document.members, [&](const Member& member) { return member.key == key; });
}

Value scalar(const std::string& text, const Value& like) {
  Value value = make_scalar(text, "");
  value.file = like.file;
  value.line = like.line;
  value.column = like.column;
  return value;
}

// The document that a member of a system names, or that stands there itself (as `mlosim show` prints it): the member is
// left with the name alone.
Value take_document(const Library& library, Shelf shelf, Value& member) {
  if (member.is_scalar()) return read_document(library.require(shelf, member.text, member.place()));
  Value document = member;
  member = scalar(text_of(document, "name"), document);
  return document;
}

// A chip by itself, as a system without a fabric.
Value one_chip_system(const Value& chip) {
  Value system;
  system.kind = Value::Kind::mapping;
  system.file = chip.file;
  system.line = 1;
  system.column = 1;
  for (const auto& [key, text] : std::array<std::pair<std::string, std::string>, 3>{
           {{"schema", "mlosim/system/1"}, {"name", text_of(chip, "name")}, {"chip", text_of(chip, "name")}}}) {
    system.members.push_back({key, chip.place(), scalar(text, chip)});
  }
  return system;
}

bool lists(const Value& document, std::string_view key, std::string_view word) {
  const Value* list = document.find(key);
  return list &&
         std::any_of(list->items.begin(), list->items.end(), [&](const Value& item) { return item.text == word; });
}

// Whether a file has a word at all. Reading a stack's kernels as YAML takes milliseconds, looking for a word does not.
bool mentions(const std::string& path, const std::string& word) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return text.find(word) != std::string::npos;
}

Value default_runtime(const Library& library, const Value& chip, bool trains) {
  const std::string vendor = text_of(chip, "vendor");
  const char* key = trains ? "trains_by_default_for" : "default_for";
  for (const std::string& name : library.names(Shelf::runtimes)) {
    const std::string path = library.require(Shelf::runtimes, name);
    if (!mentions(path, key)) continue;
    Value document = read_runtime_document(path, text_of(chip, "family"));
    if (lists(document, key, vendor)) return document;
  }
  throw InputError(fmt::format("no runtime is the default for chips of {}", vendor.empty() ? "this vendor" : vendor),
                   fmt::format("name one with 'runtime:', or list the vendor under '{}' of a runtime", key));
}

// Whether `name` is `called`, or a version of it: "nemo-24.07" is a nemo.
bool is_version_of(std::string_view name, std::string_view called) {
  return name.starts_with(called) && (name.size() == called.size() || name[called.size()] == '-');
}

// The file of a runtime that is named by a version of it, or of what it is also called: the longest such name counts.
std::optional<std::string> find_by_version(const Library& library, std::string_view name) {
  std::optional<std::string> found;
  std::size_t longest = 0;
  const auto consider = [&](std::string_view called, const std::string& path) {
    if (!is_version_of(name, called) || called.size() <= longest) return;
    longest = called.size();
    found = path;
  };
  for (const std::string& runtime : library.names(Shelf::runtimes)) {
    const std::string path = library.require(Shelf::runtimes, runtime);
    consider(runtime, path);
    if (!mentions(path, "also_called")) continue;
    const Value document = read_document(path);
    const Value* names = document.find("also_called");
    for (const Value& called : names ? names->items : std::vector<Value>{}) consider(called.text, path);
  }
  return found;
}

Value read_runtime(const Library& library, const RuntimeRequest& request, const Value& chip,
                   std::vector<std::string>& warnings) {
  const std::string_view name = request.name;
  if (name.empty()) return default_runtime(library, chip, request.trains);
  const auto fall_back = [&](const auto& reason) {
    Value fallback = default_runtime(library, chip, request.trains);
    warnings.push_back(reason(text_of(fallback, "name")));
    return fallback;
  };
  const std::optional<std::string> path = is_path(name) || library.find(Shelf::runtimes, name)
                                              ? library.require(Shelf::runtimes, name)
                                              : find_by_version(library, name);
  if (!path) {
    return fall_back([&](const std::string& taken) {
      return fmt::format("no runtime is called '{}'; taking '{}'; {}", name, taken,
                         spelling_hint(name, library.names(Shelf::runtimes)));
    });
  }
  Value document = read_runtime_document(*path, text_of(chip, "family"));
  const std::string vendor = text_of(chip, "vendor");
  if (!lists(document, "vendors", vendor)) {
    return fall_back([&](const std::string& taken) {
      return fmt::format("runtime '{}' does not run on chips of {}; taking '{}'", name, vendor, taken);
    });
  }
  if (!document.find(request.trains ? "training" : "launch")) {
    return fall_back([&](const std::string& taken) {
      return fmt::format("runtime '{}' does {}; taking '{}'", name, request.trains ? "not train" : "nothing but train",
                         taken);
    });
  }
  return document;
}

// What a runtime's kernels change of the chip's parameters: its `families: {<family>: …}`.
void lay_runtime_over_chip(HardwareDocuments& documents) {
  const Value* families = documents.runtime.find("families");
  const Value* own = families ? families->find(text_of(documents.chip, "family")) : nullptr;
  if (own) documents.chip = merge(documents.chip, *own);
}

// Splits "system.chip.hbm" into the document it is in and the path there.
std::pair<Value*, std::string_view> locate(HardwareDocuments& documents, std::string_view path) {
  if (path.starts_with("system.")) {
    path.remove_prefix(7);
    if (!path.starts_with("chip.") && !path.starts_with("collectives.")) return {&documents.system, path};
  }
  if (path.starts_with("chip.")) return {&documents.chip, path.substr(5)};
  if (path.starts_with("collectives.")) return {&documents.collectives, path.substr(12)};
  if (path.starts_with("runtime.")) return {&documents.runtime, path.substr(8)};
  return {nullptr, path};
}

// The members of a document that paths run through: "hbm" of "chip.hbm.bandwidth".
std::vector<std::string_view> members_of(std::string_view document, std::span<const std::string> paths) {
  std::vector<std::string_view> members;
  for (const std::string_view path : paths) {
    if (!path.starts_with(document)) continue;
    const std::string_view below = path.substr(document.size());
    members.push_back(below.substr(0, below.find('.')));
  }
  return members;
}

void decode_collectives(const HardwareDocuments& documents, SystemSpec& system, Decoding& decoding) {
  if (documents.collectives.kind == Value::Kind::null) return;
  const Value library = at_version(documents.collectives);
  system.nccl = decode_nccl(Node(&library, "collectives", &decoding));
}

}  // namespace

Value with_family(const Library& library, const Value& chip) {
  const Value* family = chip.find("family");
  if (!family || !family->is_scalar() || family->text.empty()) return chip;  // decode_chip says that it is missing
  return lay_over_family(read_document(library.require(Shelf::families, family->text, family->place())), chip);
}

Value lay_over_family(const Value& family, const Value& chip) {
  Value base = family;
  for (const std::string_view key : {"schema", "name", "description"}) drop(base, key);
  // What a chip is called comes first where it is shown.
  std::vector<Member> head;
  for (const std::string_view key : {"schema", "name", "description", "family"}) {
    for (const Member& member : chip.members) {
      if (member.key == key) head.push_back(member);
    }
  }
  base.members.insert(base.members.begin(), head.begin(), head.end());
  return merge(base, chip);
}

std::optional<Diagnostic> check_system_name(const Library& library, std::string_view system, const Place& asked_at) {
  if (is_path(system) || library.find(Shelf::systems, system) || library.find(Shelf::chips, system))
    return std::nullopt;
  std::vector<std::string> known = library.names(Shelf::systems);
  const std::vector<std::string> chips = library.names(Shelf::chips);
  known.insert(known.end(), chips.begin(), chips.end());
  return Diagnostic{.place = asked_at,
                    .path = "system",
                    .message = fmt::format("no system or chip is called '{}'", system),
                    .hint = spelling_hint(system, known)};
}

HardwareDocuments read_hardware(const Library& library, std::string_view system, const RuntimeRequest& runtime,
                                std::vector<std::string>& warnings) {
  if (const auto wrong = check_system_name(library, system, {})) throw InputError({*wrong});
  const bool is_system = is_path(system) || library.find(Shelf::systems, system);
  return complete_hardware(library, read_document(library.require(is_system ? Shelf::systems : Shelf::chips, system)),
                           runtime, warnings);
}

HardwareDocuments complete_hardware(const Library& library, Value document, const RuntimeRequest& runtime,
                                    std::vector<std::string>& warnings) {
  HardwareDocuments documents;
  if (text_of(document, "schema").starts_with("mlosim/chip/")) {
    documents.chip = with_family(library, std::move(document));
    documents.system = one_chip_system(documents.chip);
  } else {
    documents.system = std::move(document);
    Value* chip = documents.system.find("chip");
    if (!chip || !(chip->is_scalar() || chip->is_mapping())) {
      throw InputError({{.place = documents.system.place(),
                         .path = "system",
                         .message = "key 'chip' is missing",
                         .hint = "name a chip of hw_specs/chips, or a file"}});
    }
    documents.chip = with_family(library, take_document(library, Shelf::chips, *chip));
  }
  if (Value* collectives = documents.system.find("collectives");
      collectives && (collectives->is_scalar() || collectives->is_mapping())) {
    documents.collectives = take_document(library, Shelf::families, *collectives);
  }
  documents.runtime = read_runtime(library, runtime, documents.chip, warnings);
  lay_runtime_over_chip(documents);
  return documents;
}

bool changes_machine(std::string_view path) {
  return path.starts_with("system.") || path.starts_with("chip.") || path.starts_with("collectives.");
}

bool is_hardware_path(std::string_view path) { return changes_machine(path) || path.starts_with("runtime."); }

void apply_override(HardwareDocuments& documents, const Override& change) {
  if (change.path == "system.chip" || change.path == "system.collectives" || change.path == "chip.family" ||
      change.path == "system.chip.family") {
    throw InputError({{.place = change.value.place(),
                       .path = change.path,
                       .message = "a part that has a file of its own cannot be exchanged",
                       .hint = "name another system, or set a parameter of this one"}});
  }
  if (change.path.starts_with("runtime.families")) {
    throw InputError({{.place = change.value.place(),
                       .path = change.path,
                       .message = "a runtime's families are laid over the chip before overrides are",
                       .hint = "set the chip's own parameter: chip.…"}});
  }
  const auto [document, path] = locate(documents, change.path);
  if (!document) {
    throw InputError({{.place = change.value.place(),
                       .path = change.path,
                       .message = "this path starts with no part of a system",
                       .hint = "system., chip., collectives. or runtime."}});
  }
  set_at(*document, path, change.value);
}

void decode_again(const HardwareDocuments& documents, std::span<const std::string> paths, Hardware& hardware,
                  Decoding& decoding) {
  SystemSpec& system = hardware.system;
  if (const auto members = members_of("system.", paths); !members.empty())
    decode_system_again(Node(&documents.system, "system", &decoding), members, system);
  if (const auto members = members_of("chip.", paths); !members.empty())
    decode_chip_again(Node(&documents.chip, "chip", &decoding), members, system.chip);
  if (!members_of("collectives.", paths).empty()) decode_collectives(documents, system, decoding);
  if (!members_of("runtime.", paths).empty())
    hardware.runtime = decode_runtime(Node(&documents.runtime, "runtime", &decoding));
}

Hardware decode_hardware(const HardwareDocuments& documents, Decoding& decoding) {
  Hardware hardware;
  hardware.system = decode_system(Node(&documents.system, "system", &decoding));
  hardware.system.chip = decode_chip(Node(&documents.chip, "chip", &decoding));
  decode_collectives(documents, hardware.system, decoding);
  hardware.runtime = decode_runtime(Node(&documents.runtime, "runtime", &decoding));
  hardware.provenance = std::move(decoding.provenance);
  return hardware;
}

Hardware require_hardware(const HardwareDocuments& documents, std::vector<std::string>& warnings) {
  Decoding decoding;
  Hardware hardware = decode_hardware(documents, decoding);
  decoding.diagnostics.throw_if_any();
  warnings.insert(warnings.end(), decoding.warnings.begin(), decoding.warnings.end());
  return hardware;
}

Hardware require_hardware(const Library& library, std::string_view system, const RuntimeRequest& runtime,
                          std::vector<std::string>& warnings) {
  return require_hardware(read_hardware(library, system, runtime, warnings), warnings);
}

}  // namespace mlosim::spec
