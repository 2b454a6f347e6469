// From files to one list of fields: includes are put in their place, variables are taken out.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "pipeline/syntax.h"
#include "pipeline/variables.h"

namespace plait {

// The texts of a job and its variables. Places in fields and errors point into the texts: keep the reader.
class Reader {
 public:
  Reader(const std::map<std::string, std::string>& vars, Errors& errors)
      : variables_(vars), errors_(errors) {}

  // Fails with: kNotFound when the file is not there or cannot be read.
  Result<std::vector<Field>> read_file(const std::string& path);
  // `name` stands for the file: includes are relative to its folder.
  std::vector<Field> read_text(const std::string& name, const std::string& text);

  Variables& variables() { return variables_; }
  std::deque<SourceText>& texts() { return texts_; }

 private:
  std::vector<Field> read(const SourceText& source);
  std::vector<Field> with_includes(std::vector<Field> written, const SourceText& from, bool in_repeat);
  void include(const Field& field, const SourceText& from, std::vector<Field>& fields);

  Variables variables_;
  Errors& errors_;
  std::deque<SourceText> texts_;
  std::vector<std::string> open_;  // canonical names of the files being read, outermost first
};

}  // namespace plait
