#include "validate/cuda/measure/arguments.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "validate/cuda/measure/spelling.hpp"
#include "validate/cuda/measure/usage_error.hpp"

namespace mlosim::measure {
namespace {

struct Option {
  const char* name;
  const char* value;  // what the value is called; null for a flag
  const char* text;
  std::function<void(Arguments&, const std::string&)> set;
};

std::vector<std::string> split_list(const std::string& option, const std::string& text) {
  std::vector<std::string> items(1);
  for (const char c : text) {
    if (c == ',')
      items.emplace_back();
    else
      items.back() += c;
  }
  for (const std::string& item : items)
    if (item.empty())
      throw UsageError(option + ": '" + text + "' has an empty name", "names are separated by one comma");
  return items;
}

template <typename Whole>
Whole parse_whole(const std::string& option, const std::string& text) {
  Whole value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || text[0] == '-')
    throw UsageError(option + ": '" + text + "' is not a whole number from 0", "");
  return value;
}

// The number that `text` begins with, and the rest behind blanks; nothing where there is none.
std::optional<std::pair<double, std::string>> leading_number(const std::string& text) {
  if (text.empty() || (text[0] != '.' && (text[0] < '0' || text[0] > '9'))) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (!std::isfinite(value)) return std::nullopt;
  std::string unit(end);
  unit.erase(0, unit.find_first_not_of(' ') == std::string::npos ? unit.size() : unit.find_first_not_of(' '));
  return std::pair(value, unit);
}

double parse_share(const std::string& option, const std::string& text) {
  const auto number = leading_number(text);
  const double scale = number && number->second == "%" ? 0.01 : 1.0;
  if (!number || (number->second != "%" && !number->second.empty()) || number->first <= 0 || number->first * scale >= 1)
    throw UsageError(option + ": '" + text + "' is not a share between 0 and 1", "write it as 0.5% or 0.005");
  return number->first * scale;
}

AxisFilter parse_axis(const std::string& option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError(option + ": '" + text + "' names no values", "write it as bytes=4KiB,1GiB");
  return {text.substr(0, equals), split_list(option, text.substr(equals + 1))};
}

std::string parse_chip_name(const std::string& option, const std::string& text) {
  if (text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos || text.empty())
    throw UsageError(option + ": '" + text + "' is no name of a chip",
                     "small letters, digits and underscores, such as h100_sxm");
  return text;
}

const std::vector<Option>& options() {
  static const std::vector<Option> kOptions = {
      {"--list", nullptr, "print the cases with their axes and stop",
       [](Arguments& a, const std::string&) { a.list = true; }},
      {"--dry-run", nullptr, "print what would be measured, in order, and stop; needs no GPU",
       [](Arguments& a, const std::string&) { a.dry_run = true; }},
      {"--group", "NAME,...", "only cases of these groups",
       [](Arguments& a, const std::string& v) { a.groups = split_list("--group", v); }},
      {"--case", "NAME,...", "only these cases",
       [](Arguments& a, const std::string& v) { a.cases = split_list("--case", v); }},
      {"--axis", "NAME=VALUE,...", "only these values of an axis; may be given for several axes",
       [](Arguments& a, const std::string& v) { a.axes.push_back(parse_axis("--axis", v)); }},
      {"--output", "FILE", "the CSV to write; default: the chip's name and .csv, here",
       [](Arguments& a, const std::string& v) { a.output = v; }},
      {"--resume", nullptr, "go on in a CSV that exists: measure what it lacks",
       [](Arguments& a, const std::string&) { a.resume = true; }},
      {"--budget", "TIME", "measure a balanced part that takes about so long, such as 5min",
       [](Arguments& a, const std::string& v) { a.budget = parse_duration("--budget", v); }},
      {"--max-time", "TIME", "the longest that one state is sampled; default 500ms",
       [](Arguments& a, const std::string& v) { a.criterion.max_time = parse_duration("--max-time", v); }},
      {"--criterion", "SHARE", "standard error of the median at which sampling stops; default 0.5%",
       [](Arguments& a, const std::string& v) { a.criterion.noise = parse_share("--criterion", v); }},
      {"--sustained", "TIME", "how long a sustained run lasts; default 10s",
       [](Arguments& a, const std::string& v) { a.options.sustained = parse_duration("--sustained", v); }},
      {"--device", "N", "which GPU, as CUDA counts them; default 0",
       [](Arguments& a, const std::string& v) { a.device = parse_whole<int>("--device", v); }},
      {"--device-name", "CHIP", "the chip's name in mlosim, where the GPU is not known or to plan without one",
       [](Arguments& a, const std::string& v) { a.device_name = parse_chip_name("--device-name", v); }},
      {"--seed", "N", "begins the order elsewhere; default 0",
       [](Arguments& a, const std::string& v) { a.seed = parse_whole<std::uint64_t>("--seed", v); }},
      {"--help", nullptr, "print this", [](Arguments& a, const std::string&) { a.help = true; }},
      {"--version", nullptr, "print the version", [](Arguments& a, const std::string&) { a.version = true; }},
  };
  return kOptions;
}

const Option& find_option(const std::string& name) {
  std::vector<std::string> names;
  for (const Option& option : options()) {
    if (name == option.name) return option;
    names.emplace_back(option.name);
  }
  if (name.rfind("-", 0) != 0)
    throw UsageError("'" + name + "' is not expected: there are only options", "see mlosim-measure --help");
  throw UsageError("there is no option '" + name + "'", spelling_hint(name, names));
}

}  // namespace

Seconds parse_duration(const std::string& option, const std::string& text) {
  struct Unit {
    const char* name;
    double seconds;
  };
  static constexpr std::array<Unit, 5> kUnits = {{{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"m", 60}, {"h", 3600}}};
  if (const auto number = leading_number(text); number && number->first > 0)
    for (const Unit& unit : kUnits)
      if (number->second == unit.name && number->first * unit.seconds < 1e7)
        return Seconds(number->first * unit.seconds);
  throw UsageError(option + ": '" + text + "' is not a time", "write it with its unit: 500ms, 30s, 5min, 2h");
}

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].rfind("--", 0) == 0 ? words[i].find('=') : std::string::npos;
    const Option& option = find_option(words[i].substr(0, equals));
    if (option.value == nullptr) {
      if (equals != std::string::npos) throw UsageError(std::string(option.name) + " takes no value", "");
      option.set(arguments, "");
    } else if (equals != std::string::npos) {
      option.set(arguments, words[i].substr(equals + 1));
    } else if (++i < words.size()) {
      option.set(arguments, words[i]);
    } else {
      throw UsageError(std::string(option.name) + " needs a value: " + option.value, "see mlosim-measure --help");
    }
  }
  return arguments;
}

std::string usage() {
  std::string text =
      "mlosim-measure: measures a GPU for mlosim\n\n"
      "Usage: mlosim-measure [options]\n\n"
      "Writes one row a state to a CSV as it goes, and what GPU, driver and toolkit it was to a YAML beside it.\n\n";
  for (const Option& option : options()) {
    std::string line = std::string("  ") + option.name + (option.value ? std::string(" ") + option.value : "");
    line.resize(std::max<std::size_t>(line.size() + 2, 28), ' ');
    text += line + option.text + "\n";
  }
  return text +
         "\nExit codes: 0 done; 1 done, but results were wrong or states failed; 2 the input was wrong or there is no\n"
         "GPU to use; 3 the GPU failed or a bug of ours; 130 interrupted (go on with --resume).\n";
}

}  // namespace mlosim::measure
