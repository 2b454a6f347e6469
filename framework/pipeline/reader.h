// From files to one list of fields: includes are put in their place, variables are taken out.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "pipeline/job_change.h"
#include "pipeline/syntax.h"
#include "pipeline/variables.h"

namespace plait::inline pipeline {

// The text of a file that a person names: a regular one, "-" for standard input, or a pipe; what the last two
// give is kept, so that they can be asked for again. Fails with: kNotFound when it cannot be read, or is
// larger than 64 MiB. Threads: [any]
Result<std::string> read_job_text(const std::string& path);
// From now on a file at `path` is read once too: what is loaded is then the text that was looked through for
// plugins to trust. Threads: [any]
void keep_job_text(const std::string& path);

// The texts of a job and its variables. Places in fields and errors point into the texts: keep the reader.
class Reader {
 public:
  Reader(const std::map<std::string, std::string>& vars, Errors& errors)
      : variables_(vars), errors_(errors) {}

  // Fails with: kNotFound when the file is not there or cannot be read.
  Result<std::vector<Field>> read_file(const std::string& path);
  // `name` stands for the file: includes and other paths are relative to its folder (paths.h).
  std::vector<Field> read_text(const std::string& name, const std::string& text);

  Variables& variables() { return variables_; }
  std::deque<SourceText>& texts() { return texts_; }
  // What set: of the files says, in the order written.
  const std::vector<JobChange>& changes() const { return changes_; }

 private:
  std::vector<Field> read(const SourceText& source);
  std::vector<Field> with_includes(std::vector<Field> written, bool in_repeat);
  void include(const Field& field, std::vector<Field>& fields);
  void set(const Field& field, bool in_repeat);

  Variables variables_;
  Errors& errors_;
  std::deque<SourceText> texts_;
  std::vector<JobChange> changes_;
  uint64_t bytes_ = 0;             // of all texts
  int repeat_depth_ = 0;           // of repeats around what is read, over all files
  std::vector<std::string> open_;  // canonical names of the files being read, outermost first
};

}  // namespace plait::inline pipeline
