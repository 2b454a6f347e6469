// Errors of a pipeline file as a person wants them: place, source line, caret, hint; several at once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"

namespace plait::inline pipeline {

// A text that errors point into: a file, or what comes after --set or --var.
// Threads: [one at a time], const or not.
struct SourceText {
  std::string name;
  std::string text;
  // Line and column at every so many bytes, so that a place far down is found at once. Made by location_of.
  struct Mark {
    size_t offset;
    int line, column;
  };
  mutable std::vector<Mark> marks = {};
};

// One round of a repeat { }: what its variable stands for there.
struct Iteration {
  std::string name;  // of the variable; "" without one
  int64_t value = 0;
  const Iteration* outer = nullptr;
  std::string text() const;  // "i = 3", "i = 3, j = 1", "round 3" without a variable
};

// A stretch of a source text. A null source: the job as a whole; `whole`: the file, not a place in it.
struct Place {
  const SourceText* source = nullptr;
  size_t offset = 0;
  size_t length = 1;
  bool whole = false;
  const Iteration* iteration = nullptr;  // of the repeat that made it
};

// Line and column, 1-based; columns count characters, not bytes.
Location location_of(const Place& place);

// Errors found so far. The first kMaxShown of the text are shown. With kMaxKept readers stop, since a file of
// a million mistakes is not worth reading to its end; further ones are counted only.
class Errors {
 public:
  static constexpr size_t kMaxShown = 20, kMaxKept = 200;
  // `hint` is shown below the caret. The same message at the same place is kept once; of several iterations
  // of a repeat the first is named. Words and texts that are endless are cut.
  void add(const Place& place, const std::string& message, const std::string& hint = "");
  // Something at `place` was left out because of an error elsewhere.
  void left_out(const Place& place) { left_out_.insert({place.source, place.offset}); }
  bool any() const { return count_ > 0; }
  size_t count() const { return count_; }
  bool is_full() const { return count_ >= kMaxKept; }
  // Whether there is one, or something left out, between two places of a text: what is not there is not
  // missing.
  bool any_between(const Place& begin, const Place& end) const;
  // kInvalid with all of them in the order of the text.
  Status status() const;

 private:
  struct Error {
    Place place;
    Location location;
    std::string message;
    std::string hint;
    size_t iterations = 1;  // in which it was found
    const Iteration* last = nullptr;
    std::string text() const;
  };
  std::vector<Error> list_;
  std::set<std::pair<const SourceText*, size_t>> left_out_;
  size_t count_ = 0;   // also of those not kept, each iteration by itself
  size_t hidden_ = 0;  // not kept
};

// The place of a line and column of `source`, which count as those of location_of.
Place place_at(const SourceText& source, int line, int column);

// "    source line\n    ^~~" for a place; long lines are cut around the place, control characters are blanks.
std::string source_line_with_caret(const Place& place);

}  // namespace plait::inline pipeline
