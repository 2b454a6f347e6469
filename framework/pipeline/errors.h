// Errors of a pipeline file as a person wants them: place, source line, caret, hint; several at once.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"

namespace plait {

// A text that errors point into: a file, or what stands behind --set or --var.
struct SourceText {
  std::string name;
  std::string text;
};

// A stretch of a source text. A null source: the job as a whole; `whole`: the file, not a place in it.
struct Place {
  const SourceText* source = nullptr;
  size_t offset = 0;
  size_t length = 1;
  bool whole = false;
};

// Line and column, 1-based; columns count characters, not bytes.
Location location_of(const Place& place);

// Errors found so far. Those beyond kMaxShown are counted only.
class Errors {
 public:
  static constexpr size_t kMaxShown = 20;
  // `hint` is shown below the caret. The same message at the same place is kept once.
  void add(const Place& place, const std::string& message, const std::string& hint = "");
  bool any() const { return !list_.empty(); }
  size_t count() const { return list_.size(); }
  // Whether there is one between two places of a text: what was left out there is not missing.
  bool any_between(const Place& begin, const Place& end) const;
  // kInvalid with all of them in the order of the text.
  Status status() const;

 private:
  struct Error {
    Place place;
    Location location;
    std::string message;
    std::string hint;
  };
  std::vector<Error> list_;
};

// "    source line\n    ^~~" for a place; long lines are cut around the place, control characters are blanks.
std::string source_line_with_caret(const Place& place);

}  // namespace plait
