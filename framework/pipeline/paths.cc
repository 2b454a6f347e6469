#include "pipeline/paths.h"

#include <filesystem>

namespace plait::inline pipeline {
namespace fs = std::filesystem;
namespace {

// A pipe or standard input has no folder where the files of a job would lie.
bool may_have_a_folder(const std::string& name) {
  if (name.starts_with("/dev/") || name.starts_with("/proc/")) return false;
  std::error_code error;
  const auto type = fs::status(name, error).type();
  return type == fs::file_type::regular || type == fs::file_type::not_found || type == fs::file_type::none;
}

}  // namespace

const SourceText* writer_of(const std::vector<Token>& scalar) {
  const Token* first = &scalar.front();
  for (const Token& token : scalar) {
    first = &token;
    if (!is_string(token.text) || !unquote(token.text).empty()) break;
  }
  return first->writer ? first->writer : first->place.source;
}

std::string folder_of(const SourceText* writer) {
  if (writer == nullptr || !may_have_a_folder(writer->name)) return "";
  return fs::path(writer->name).parent_path().string();
}

std::string absolute_path(const std::string& path, const SourceText* writer) {
  if (path.empty() || fs::path(path).is_absolute()) return path;
  std::error_code error;
  const fs::path working = fs::current_path(error);
  if (error) return path;
  fs::path whole;
  for (const fs::path& part : working / folder_of(writer) / path)
    if (part != ".") whole /= part;
  return whole.string();
}

}  // namespace plait::inline pipeline
