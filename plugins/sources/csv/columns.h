// Which columns of a table a person means: by their names in the heading, or by their numbers from 1 on.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "row_file.h"

namespace plait::csv {

class Columns {
 public:
  // `heading`: the names; empty where the file has none. `width`: of the table.
  Columns(const std::string& path, std::vector<std::string> heading, size_t width)
      : path_(path), heading_(std::move(heading)), width_(width) {}

  size_t width() const { return width_; }
  // "petal", "3", or "2-785" for several. A name goes before a number.
  // Fails with: kInvalid for what is no column, and for a name that two have.
  std::vector<size_t> of(const std::string& words) const;
  std::vector<size_t> of(const std::vector<std::string>& all) const;
  // Fails with: kInvalid unless it is one.
  size_t one(const std::string& words) const;
  // All but those.
  std::vector<size_t> others(std::span<const size_t> used) const;
  // "field 3 (petal)"
  std::string words(size_t column) const;

 private:
  const std::string& path_;
  std::vector<std::string> heading_;
  size_t width_;
};

}  // namespace plait::csv
