// Pieces of pages for a browser: the frame, sections, bars cut into what they are made of. A page needs neither a
// network nor scripts. Text is escaped here where it is text; what is named a body or a drawing is markup already.
// Internal to the renderers.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/step_report.hpp"

namespace mlosim::predict {

inline constexpr int kPageWidth = 1100;  // of drawings, in pixels

// A part of a bar.
struct Slice {
  std::string name;
  double value;        // above 0
  std::size_t colour;  // of colour_of: the same for the same thing
};

using AmountText = std::function<std::string(double)>;

// Where a stack of slices is drawn.
struct StackPlace {
  double x, y, height;
  double scale;  // pixels for a value of 1
};

const char* colour_of(std::size_t i);

std::string render_page(const std::string& title, const std::string& body);
// Empty where the body is.
std::string section(std::string_view title, const std::string& body);
std::string warning_paragraph(const std::string& text);

// A drawing of kPageWidth x `height` pixels.
std::string svg_of(double height, int font_size, const std::string& drawing);
// Slices one after the other, with their share where there is room for it, and their amount under the mouse.
std::string draw_stack(const std::vector<Slice>& slices, const StackPlace& place, const AmountText& amount_of);
// What each colour is, in rows from `y` downwards, which is moved below them.
std::string draw_legend(const std::vector<std::pair<std::string, std::size_t>>& entries, double& y);
// One bar as wide as the page, and what each colour is, with its amount; empty where nothing is in it.
std::string stacked_bar(const std::vector<Slice>& slices, const AmountText& amount_of);

// Time by cause, those that take any; a cause has its colour on every page.
std::vector<Slice> time_slices(const report::TimeBreakdown& breakdown);

}  // namespace mlosim::predict
