#include "columns.h"

#include <plait/sdk/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace plait::csv {
namespace {

std::optional<size_t> number_of(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<size_t> Columns::of(const std::string& words) const {
  const auto found = std::ranges::find(heading_, words);
  if (found != heading_.end()) {
    if (std::find(found + 1, heading_.end(), words) != heading_.end())
      throw sdk::Error(path_, ": two columns are called ", sdk::excerpt(words),
                       "; say their numbers, from 1 on");
    return {static_cast<size_t>(found - heading_.begin())};
  }
  const size_t dash = std::min(words.find('-'), words.size());
  const auto first = number_of(std::string_view(words).substr(0, dash));
  const auto last = dash == words.size() ? first : number_of(std::string_view(words).substr(dash + 1));
  if (!first || !last || *first < 1 || *last < *first || *last > width_)
    throw sdk::Error(path_, " has no column ", sdk::excerpt(words), ", wanted ",
                     heading_.empty() ? "" : "a name of its heading, or ", "a number of 1 to ", width_);
  std::vector<size_t> all;
  for (size_t column = *first; column <= *last; ++column) all.push_back(column - 1);
  return all;
}

std::vector<size_t> Columns::of(const std::vector<std::string>& all) const {
  std::vector<size_t> columns;
  for (const std::string& words : all)
    for (const size_t column : of(words)) columns.push_back(column);
  return columns;
}

size_t Columns::one(const std::string& words) const {
  const std::vector<size_t> all = of(words);
  if (all.size() != 1)
    throw sdk::Error(path_, ": ", sdk::excerpt(words), " are ", all.size(), " columns, wanted one");
  return all.front();
}

std::vector<size_t> Columns::others(std::span<const size_t> used) const {
  std::vector<bool> is_used(width_);
  for (const size_t column : used) is_used[column] = true;
  std::vector<size_t> all;
  for (size_t column = 0; column < width_; ++column)
    if (!is_used[column]) all.push_back(column);
  return all;
}

std::string Columns::words(size_t column) const {
  const std::string number = "field " + std::to_string(column + 1);
  return heading_.empty() ? number : number + " (" + sdk::excerpt(heading_[column]) + ")";
}

}  // namespace plait::csv
