#include "report/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/one_nan.h"

namespace plait::inline report {

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(std::max(0.0, std::round(seconds)));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string rate_text(double per_second) {
  const std::string digits = fmt::format("{:.0f}", std::max(0.0, per_second));
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

// Of many (a value a class, say) the first, and the loss; files have all.
std::string values_text(const NamedValues& values) {
  constexpr size_t kMost = 12;
  std::string text;
  size_t shown = 0;
  for (const auto& [name, value] : values) {
    const bool is_shown = values.size() <= kMost || shown < kMost - 2 || name == "loss";
    if (!is_shown) continue;
    text += fmt::format("{}{} {:.4f}", text.empty() ? "" : ", ", name, one_nan(value));
    ++shown;
  }
  const size_t hidden = values.size() - shown;
  return hidden == 0 ? text : fmt::format("{}, and {} more", text, hidden);
}

std::string loss_text(const RoundInfo& round) {
  const std::string total = fmt::format("loss {:.4f}", one_nan(round.loss));
  return round.losses.empty() ? total : total + " (" + values_text(round.losses) + ")";
}

}  // namespace plait::inline report
