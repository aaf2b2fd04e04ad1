// The keys of a workload that an axis may set, and what their values are. Paths of the hardware and the model are not
// here: those are looked up in their documents.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/predict/workload.hpp"
#include "sim/spec/document.hpp"

namespace mlosim::explore {

// Whether an axis of that path could be laid over a workload of the task; the path may be wrong otherwise.
bool belongs_to_task(std::string_view path, predict::Task task);

// Whether the path is one of the workload itself: none of the hardware, the model or its operators.
bool is_workload_path(std::string_view path);

// Whether a workload has the key.
bool is_known_workload_path(std::string_view path);

// Whether the workload's path takes whole numbers.
bool is_count_path(std::string_view path);

// Whether the path takes one of a closed list of words, or members that are decoded together.
bool takes_words(std::string_view path);

// Paths of a workload, for hints.
std::vector<std::string> workload_paths();

// What is wrong with a value for a known path of the workload: it is of another kind.
std::optional<spec::Diagnostic> check_workload_value(std::string_view path, const spec::Value& value);

// Whether the machine and the formats on it follow from the path's value: all that batches, lengths and degrees leave
// alone.
bool changes_setting(std::string_view path);

}  // namespace mlosim::explore
