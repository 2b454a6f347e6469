#include "cli/sweep_axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <set>

#include "base/random_keys.h"
#include "registry/registry.h"

namespace plait::inline cli {
namespace {

constexpr size_t kMostCombinations = 100'000;
constexpr int kTriesPerDraw = 100;  // before a search is taken to be exhausted

struct Call {
  std::string name;
  std::vector<std::string> arguments;
};

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Parts between the commas that are in no brackets and no quotes.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == '\\' && i + 1 < text.size()) parts.back() += text[i++];
      if (text[i] == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += text[i];
  }
  for (std::string& part : parts) part = trimmed(part);
  return parts;
}

// An empty name: the value is no call of ours.
Call read_call(const std::string& value) {
  const size_t open = value.find('(');
  if (open == std::string::npos || value.back() != ')') return {};
  const std::string name = trimmed(value.substr(0, open));
  if (name != "choice" && name != "range" && name != "log") return {};
  return {name, split(value.substr(open + 1, value.size() - open - 2))};
}

Status usage(const SweepAxis& axis, const std::string& message) {
  return {Code::kUsage, "sweep: " + axis.path + ": " + message};
}

// A call whose name is nearly one of ours.
std::string near_call(const std::string& value) {
  const size_t open = value.find('(');
  if (open == std::string::npos || value.back() != ')') return "";
  const std::string name = trimmed(value.substr(0, open));
  return name.find_first_of(" {[\"'") == std::string::npos ? did_you_mean(name, {"choice", "range", "log"})
                                                           : "";
}

Status check_choices(const SweepAxis& axis) {
  for (const std::string& value : axis.values) {
    if (value.empty()) return usage(axis, "choice(...) has a value that is empty; \"\" is an empty text");
    int depth = 0;
    char quote = 0;
    for (size_t i = 0; i < value.size() && depth >= 0; ++i) {
      const char c = value[i];
      if (quote && c == '\\')
        ++i;
      else if (quote)
        quote = c == quote ? 0 : quote;
      else if (c == '"' || c == '\'')
        quote = c;
      else
        depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    }
    if (depth != 0 || quote)
      return usage(axis, "a bracket or quote of " + value + " is left open, or closes nothing");
  }
  return {};
}

Result<std::vector<double>> numbers(const SweepAxis& axis, const Call& call) {
  std::vector<double> values;
  for (const std::string& word : call.arguments) {
    double value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (word.empty() || parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() ||
        !std::isfinite(value))
      return usage(axis, fmt::format("{}(...) wants numbers, got \"{}\"", call.name, word));
    values.push_back(value);
  }
  return values;
}

Status read_interval(SweepAxis& axis, const Call& call, const std::vector<double>& values) {
  if (values.size() < 2 || values.size() > 3)
    return usage(axis, call.name == "log" ? "wanted log(low,high,count)" : "wanted range(low,high,step)");
  axis.low = values[0], axis.high = values[1];
  axis.is_logarithmic = call.name == "log";
  axis.is_interval = values.size() == 2;
  if (!(axis.low <= axis.high)) return usage(axis, fmt::format("{} is above {}", axis.low, axis.high));
  if (axis.is_logarithmic && !(axis.low > 0))
    return usage(axis, fmt::format("log begins above 0, got {}", axis.low));
  return {};
}

// Whole numbers as fields of whole numbers want them; of others so many digits.
std::string number_text(double value, int digits) {
  constexpr double kWhole = 0x1p53;
  if (value == std::floor(value) && std::abs(value) <= kWhole) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}g}", value, digits);
}

Status fill_range(SweepAxis& axis, double step) {
  const double count = std::floor((axis.high - axis.low) / step + 1e-9) + 1;
  if (!(step > 0) || !(count <= static_cast<double>(kMostCombinations)))
    return usage(
        axis, fmt::format("a step of {} from {} to {}, wanted one above 0 that makes at most {} values", step,
                          axis.low, axis.high, kMostCombinations));
  for (int i = 0; i < static_cast<int>(count); ++i)
    axis.values.push_back(number_text(axis.low + i * step, 12));
  return {};
}

// Both ends as they were written.
std::string log_text(const SweepAxis& axis, double share) {
  if (share == 0 || share == 1) return number_text(share == 0 ? axis.low : axis.high, 12);
  return number_text(axis.low * std::pow(axis.high / axis.low, share), 6);
}

Status fill_log(SweepAxis& axis, double count) {
  if (count != std::floor(count) || count < 2 || count > static_cast<double>(kMostCombinations))
    return usage(axis, fmt::format("log wants a whole count of 2 to {}, got {}", kMostCombinations, count));
  for (int i = 0; i < static_cast<int>(count); ++i) {
    const double share = i / (count - 1);
    axis.values.push_back(log_text(axis, share));
  }
  return {};
}

// Each whole number of a range as likely as the others.
std::string draw_whole(const SweepAxis& axis, double unit) {
  const double low = std::ceil(axis.low), high = std::floor(axis.high);
  const double value = axis.is_logarithmic ? std::round(axis.low * std::pow(axis.high / axis.low, unit))
                                           : low + std::floor(unit * (high - low + 1));
  return fmt::format("{:.0f}", std::clamp(value, low, high));
}

// One of the values, by a number in [0, 1).
std::string draw(const SweepAxis& axis, double unit) {
  if (!axis.is_interval)
    return axis.values[static_cast<size_t>(unit * static_cast<double>(axis.values.size()))];
  if (axis.is_whole) return draw_whole(axis, unit);
  const double value = axis.is_logarithmic ? axis.low * std::pow(axis.high / axis.low, unit)
                                           : axis.low + unit * (axis.high - axis.low);
  return fmt::format("{:.6g}", value);
}

}  // namespace

Result<SweepAxis> sweep_axis(const std::string& setting) {
  // The first "=" outside of a selector: layer[a=b] is no name that a file can have.
  const size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0)
    return Status(Code::kUsage, "sweep: \"" + setting + "\": wanted PATH=VALUE");
  SweepAxis axis;
  axis.path = setting.substr(0, equals);
  const std::string value = trimmed(setting.substr(equals + 1));
  const Call call = value.empty() ? Call{} : read_call(value);
  if (call.name.empty()) {
    const std::string near = near_call(value);
    if (!near.empty()) return usage(axis, "got " + value + "; did you mean " + near + "(...)?");
    axis.values = {value};
    return axis;
  }
  if (call.name == "choice") {
    axis.values = call.arguments;
    PLAIT_TRY(check_choices(axis));
    return axis;
  }
  PLAIT_ASSIGN(const std::vector<double> values, numbers(axis, call));
  PLAIT_TRY(read_interval(axis, call, values));
  if (!axis.is_interval)
    PLAIT_TRY(axis.is_logarithmic ? fill_log(axis, values[2]) : fill_range(axis, values[2]));
  return axis;
}

std::optional<WholeTest> whole_test(const SweepAxis& axis) {
  const double whole = std::ceil(axis.low);
  if (!axis.is_interval || !(whole <= axis.high) || !(axis.low < axis.high)) return std::nullopt;
  for (const double between : {whole + 0.5, whole - 0.5, std::midpoint(axis.low, axis.high)}) {
    const bool is_inside = axis.low <= between && between <= axis.high;
    if (is_inside && between != std::floor(between))  // which f64 has no more where numbers are large
      return WholeTest{fmt::format("{:.0f}", whole), fmt::format("{}", between)};
  }
  return std::nullopt;
}

Result<std::vector<std::vector<std::string>>> grid(const std::vector<SweepAxis>& axes) {
  std::vector<std::vector<std::string>> combinations(1);
  for (const SweepAxis& axis : axes) {
    if (axis.is_interval)
      return usage(axis, "an interval has no grid: say a step or a count, or search with --random N");
    std::vector<std::vector<std::string>> longer;
    if (combinations.size() * axis.values.size() > kMostCombinations)
      return usage(axis, fmt::format("more than {} combinations", kMostCombinations));
    for (const auto& combination : combinations)
      for (const std::string& value : axis.values) {
        longer.push_back(combination);
        longer.back().push_back(value);
      }
    combinations = std::move(longer);
  }
  return combinations;
}

std::vector<std::vector<std::string>> random_search(const std::vector<SweepAxis>& axes, int count,
                                                    uint64_t seed) {
  std::vector<std::vector<std::string>> drawn;
  std::set<std::vector<std::string>> seen;
  uint64_t number = 0;
  for (int tries = 0; static_cast<int>(drawn.size()) < count && tries < kTriesPerDraw;) {
    std::vector<std::string> values;
    for (const SweepAxis& axis : axes)
      values.push_back(draw(axis, static_cast<double>(mix64(mix64(seed) + ++number) >> 11) * 0x1p-53));
    const bool is_new = seen.insert(values).second;
    tries = is_new ? 0 : tries + 1;
    if (is_new) drawn.push_back(std::move(values));
  }
  return drawn;
}

}  // namespace plait::inline cli
