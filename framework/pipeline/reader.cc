#include "pipeline/reader.h"

#include <algorithm>
#include <filesystem>

#include "base/files.h"

namespace plait {
namespace {

constexpr size_t kMaxIncludeDepth = 32, kMaxFiles = 1000;
constexpr uintmax_t kMaxBytes = 64 << 20;

namespace fs = std::filesystem;

std::string canonical(const std::string& path) {
  std::error_code ignored;
  const fs::path resolved = fs::weakly_canonical(path, ignored);
  return ignored ? path : resolved.string();
}

Result<std::string> read_content(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return {Code::kNotFound, "\"" + path + "\" is a folder, not a pipeline file"};
  if (fs::file_size(path, error) > kMaxBytes && !error)
    return {Code::kInvalid, "\"" + path + "\" is larger than a pipeline file can be (64 MiB)"};
  auto content = SystemFiles().read(path);
  if (!content)
    return {Code::kNotFound, "pipeline file \"" + path + "\" cannot be read: " + content.status().message()};
  return content;
}

}  // namespace

Result<std::vector<Field>> Reader::read_file(const std::string& path) {
  PLAIT_ASSIGN(std::string content, read_content(path));
  return read_text(path, content);
}

std::vector<Field> Reader::read_text(const std::string& name, const std::string& text) {
  const SourceText& source = texts_.emplace_back(SourceText{name, text});
  open_.push_back(canonical(name));
  std::vector<Field> fields = read(source);
  open_.pop_back();
  if (!open_.empty()) return fields;
  variables_.check_given(errors_);
  variables_.substitute(fields, errors_);
  return fields;
}

std::vector<Field> Reader::read(const SourceText& source) {
  std::vector<Field> written = parse_fields(lex(source, errors_), errors_);
  // Variables first: an include may use those of its file.
  for (const Field& field : written)
    if (field.name.text == "var" && field.is_message)
      variables_.define(field, static_cast<int>(open_.size()), errors_);
  return with_includes(std::move(written), source, false);
}

// Fields without variables, and with those of included files in their place.
std::vector<Field> Reader::with_includes(std::vector<Field> written, const SourceText& from, bool in_repeat) {
  std::vector<Field> fields;
  for (Field& field : written) {
    const bool is_variable = field.name.text == "var" && field.is_message;
    if (field.name.text == "include" && !field.bracketed) {
      include(field, from, fields);
    } else if (is_variable && in_repeat) {
      errors_.add(field.name.place, "a var stands outside of repeat",
                  "write its expression where its value is used, as in: filters: ${16 * i}");
    } else if (!is_variable) {
      if (is_repeat(field)) {
        variables_.expect_in_repeat(field.text_of("as"));
        field.fields = with_includes(std::move(field.fields), from, true);
      }
      fields.push_back(std::move(field));
    }
  }
  return fields;
}

void Reader::include(const Field& field, const SourceText& from, std::vector<Field>& fields) {
  std::vector<Field> one = {field};
  variables_.substitute(one, errors_);
  const Place place = scalar_place(field);
  if (one[0].is_unresolved()) return;
  if (field.is_message || !is_string(one[0].scalar[0].text))
    return errors_.add(place, "\"include\" wants a file in quotes", "as in: include: \"network.txtpb\"");
  const std::string name = scalar_text(one[0].scalar);
  const std::string path = (fs::path(from.name).parent_path() / name).string();
  const auto open = std::find(open_.begin(), open_.end(), canonical(path));
  if (open != open_.end() || open_.size() >= kMaxIncludeDepth)
    return errors_.add(place,
                       open != open_.end() ? "\"" + name + "\" includes itself" : "includes nest too deep",
                       "the chain began in " + open_.front());
  if (texts_.size() >= kMaxFiles)
    return errors_.add(place, "the job includes more than " + std::to_string(kMaxFiles) + " files");
  auto content = read_content(path);
  if (!content) return errors_.add(place, content.status().message());
  std::vector<Field> included = read_text(path, *content);
  std::move(included.begin(), included.end(), std::back_inserter(fields));
}

}  // namespace plait
