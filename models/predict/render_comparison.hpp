// A comparison as text, JSON, CSV or a page.
#pragma once

#include <string>
#include <vector>

#include "models/predict/compare.hpp"
#include "models/predict/render.hpp"

namespace mlosim::predict {

// Numbers of specs, each system against the first, as text, as JSON and as a page.
std::string render_text(const std::vector<std::string>& systems,
                        const std::vector<std::vector<Difference>>& differences);
std::string render_json(const std::vector<std::string>& systems,
                        const std::vector<std::vector<Difference>>& differences);
std::string render_html(const std::vector<std::string>& systems,
                        const std::vector<std::vector<Difference>>& differences);

// A table for people: a row each, with what its time is made of and its gain over the first row.
std::string render_text(const std::vector<Compared>& rows);
// One JSON document: the result of each row as `predict` prints it, and its gain.
std::string render_json(const std::vector<Compared>& rows, const RunFacts& run);
// A header and a row each.
std::string render_csv(const std::vector<Compared>& rows);
// One page that needs neither a network nor scripts: the rows in a table with ratios to the first, bars of their time
// by cause with its interval, and the reasons.
std::string render_html(const std::vector<Compared>& rows);

}  // namespace mlosim::predict
