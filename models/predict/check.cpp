#include "models/predict/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/import/hf_config.hpp"
#include "models/predict/economics.hpp"
#include "models/predict/residuals.hpp"
#include "models/predict/setting.hpp"
#include "models/predict/silicon.hpp"
#include "models/predict/what_if.hpp"
#include "models/predict/workload.hpp"
#include "sim/spec/hardware.hpp"
#include "sim/spec/spelling.hpp"

namespace mlosim::predict {
namespace {

using spec::Shelf;
using spec::Value;

constexpr std::array kSearched{Shelf::systems,  Shelf::chips,    Shelf::workloads, Shelf::models,
                               Shelf::runtimes, Shelf::families, Shelf::studies,   Shelf::suites};

std::string require_anything(const spec::Library& library, const std::string& name) {
  if (spec::is_path(name)) return name;
  std::vector<std::string> known;
  for (const Shelf shelf : kSearched) {
    if (const auto file = library.find(shelf, name)) return *file;
    const std::vector<std::string> names = library.names(shelf);
    known.insert(known.end(), names.begin(), names.end());
  }
  throw spec::InputError(fmt::format("nothing is called '{}'", name), spec::spelling_hint(name, known));
}

std::string schema_of(const Value& document) {
  const Value* schema = document.find("schema");
  return schema ? schema->text : std::string();
}

void check_hardware(const spec::HardwareDocuments& documents, std::vector<std::string>& warnings) {
  spec::Decoding decoding;
  spec::decode_hardware(documents, decoding);
  decoding.diagnostics.throw_if_any();
  warnings.insert(warnings.end(), decoding.warnings.begin(), decoding.warnings.end());
}

// A family says nothing by itself: it is checked under each built-in chip that has it.
void check_family(const spec::Library& library, const Value& family, const std::string& file,
                  std::vector<std::string>& warnings) {
  const Value* name = family.find("name");
  bool is_used = false;
  for (const std::string& chip_name : library.names(Shelf::chips)) {
    Value chip = spec::read_document(library.require(Shelf::chips, chip_name));
    const Value* own = chip.find("family");
    if (!name || !own || own->text != name->text) continue;
    is_used = true;
    const Value merged = spec::lay_over_family(family, chip);
    spec::Decoding decoding;
    spec::decode_chip(spec::Node(&merged, "chip", &decoding));
    decoding.diagnostics.throw_if_any();
  }
  if (!is_used)
    warnings.push_back(fmt::format("{}: no built-in chip is of this family; only its syntax was checked", file));
}

void check_workload(const spec::Library& library, const Value& document, std::vector<std::string>& warnings) {
  const Workload workload = decode_workload(library, document, "", {}, warnings);
  read_setting(library, workload, warnings);
}

void insert(Value& mapping, const std::string& key, const Value& value) {
  if (Value* old = mapping.find(key)) {
    *old = value;
  } else {
    mapping.members.push_back({key, value.place(), value});
  }
}

// What a chip takes of a wafer; empty where it does not say what it is built of.
std::string show_silicon(const spec::Library& library, const Value& document) {
  const std::optional<SiliconTable> table = read_silicon(library);
  spec::Decoding decoding{.keeps_provenance = false};
  const spec::ChipSpec chip = spec::decode_chip(spec::Node(&document, "chip", &decoding));
  if (!table || !decoding.diagnostics.empty()) return "";
  const std::optional<SiliconEstimate> estimate = estimate_silicon(chip, *table);
  return estimate ? render_silicon(*estimate, "# ") : "";
}

}  // namespace

Checked check(const spec::Library& library, const std::string& name_or_path) {
  const std::string file = require_anything(library, name_or_path);
  const Value document = spec::read_document(file);
  const std::string schema = schema_of(document);
  Checked checked;
  if (schema == "mlosim/chip/1" || schema == "mlosim/system/1") {
    checked.what = schema == "mlosim/chip/1" ? "chip" : "system";
    check_hardware(spec::complete_hardware(library, document, {}, checked.warnings), checked.warnings);
  } else if (schema == "mlosim/residuals/1") {
    checked.what = "residuals";
    spec::Decoding decoding;
    decode_residuals(spec::Node(&document, "residuals", &decoding));
    decoding.diagnostics.throw_if_any();
  } else if (schema == "mlosim/economics/1") {
    checked.what = "economics";
    spec::Decoding decoding;
    decode_economics_file(spec::Node(&document, "economics", &decoding));
    decoding.diagnostics.throw_if_any();
  } else if (schema == "mlosim/uncertainty/1") {
    checked.what = "uncertainty";
    spec::Decoding decoding;
    decode_uncertainty(spec::Node(&document, "uncertainty", &decoding));
    decoding.diagnostics.throw_if_any();
  } else if (schema == "mlosim/silicon/1") {
    checked.what = "silicon";
    spec::Decoding decoding;
    decode_silicon_file(spec::Node(&document, "silicon", &decoding));
    decoding.diagnostics.throw_if_any();
  } else if (schema == "mlosim/family/1") {
    checked.what = "family";
    check_family(library, document, file, checked.warnings);
  } else if (schema == "mlosim/collectives/1") {
    checked.what = "collective library";
    spec::Decoding decoding;
    spec::decode_nccl(spec::Node(&document, "collectives", &decoding));
    decoding.diagnostics.throw_if_any();
  } else if (schema == "mlosim/runtime/1") {
    checked.what = "runtime";
    spec::Decoding decoding;
    spec::decode_runtime(spec::Node(&document, "runtime", &decoding));
    decoding.diagnostics.throw_if_any();
  } else if (schema == "mlosim/workload/1") {
    checked.what = "workload";
    check_workload(library, document, checked.warnings);
  } else if (schema == "mlosim/model/1" || import::is_hf_config(document)) {
    checked.what = "model";
    load_model(library, document, {}, checked.warnings);
  } else {
    constexpr std::string_view kExpected =
        "chip, system, family, collectives, runtime, model or workload, such as 'schema: mlosim/workload/1'";
    throw spec::InputError(
        {{.place = document.place(),
          .path = "schema",
          .message = schema.empty() ? "key 'schema' is missing" : fmt::format("unknown schema '{}'", schema),
          .hint = fmt::format("expected that of a {}", kExpected)}});
  }
  return checked;
}

Shown show(const spec::Library& library, const std::string& name_or_path) {
  const std::string file = require_anything(library, name_or_path);
  Value document = spec::read_document(file);
  const std::string schema = schema_of(document);
  std::vector<std::string> warnings;
  if (schema == "mlosim/chip/1") {
    document = spec::with_family(library, document);
  } else if (schema == "mlosim/system/1") {
    const spec::HardwareDocuments documents = spec::complete_hardware(library, document, {}, warnings);
    document = documents.system;
    insert(document, "chip", documents.chip);
    if (documents.collectives.is_mapping()) insert(document, "collectives", documents.collectives);
  }
  Shown shown{.file = file, .yaml = spec::render_yaml(document), .silicon = ""};
  if (schema == "mlosim/chip/1") shown.silicon = show_silicon(library, document);
  return shown;
}

}  // namespace mlosim::predict
