#include "pipeline/files_read.h"

#include "pipeline/reader.h"

namespace plait::inline pipeline {

std::vector<std::string> files_read(const std::string& path, const std::map<std::string, std::string>& vars) {
  Errors ignored;  // load_job says them
  Reader reader(vars, ignored);
  std::vector<std::string> files;
  if (!reader.read_file(path)) return files;
  for (const SourceText& text : reader.texts()) files.push_back(text.name);
  return files;
}

}  // namespace plait::inline pipeline
