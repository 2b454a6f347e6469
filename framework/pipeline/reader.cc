#include "pipeline/reader.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "base/files.h"
#include "pipeline/paths.h"

namespace plait::inline pipeline {
namespace {

constexpr size_t kMaxIncludeDepth = 32, kMaxFiles = 1000;
constexpr uint64_t kMaxBytes = 64 << 20;  // of all files of a job together

namespace fs = std::filesystem;

std::string canonical(const std::string& path) {
  std::error_code ignored;
  const fs::path resolved = fs::weakly_canonical(path, ignored);
  return ignored ? path : resolved.string();
}

// What was given is asked for again, before plugins are loaded, then for the job, then for errors. A pipe and
// standard input can be read but once, and a pipe that nobody writes to is waited for once; a file that a
// command names could change meanwhile.
class Texts {
 public:
  void keep(const std::string& path) {
    const std::lock_guard lock(mutex_);
    kept_.insert(path);
  }
  Result<std::string> read(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto known = texts_.find(path);
    if (known != texts_.end()) return known->second;
    if (!kept_.contains(path) && !is_stream(path)) return read_file_or_pipe(path, kMaxBytes);
    return texts_.emplace(path, read_file_or_pipe(path, kMaxBytes)).first->second;
  }
  static Texts& instance() {
    static Texts texts;
    return texts;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> kept_;
  std::map<std::string, Result<std::string>> texts_;
};

Status not_read(const Status& why) {
  return {Code::kNotFound, "pipeline file cannot be read: " + why.message()};
}

}  // namespace

void keep_job_text(const std::string& path) { Texts::instance().keep(path); }

Result<std::string> read_job_text(const std::string& path) {
  auto text = Texts::instance().read(path);
  return text ? text : not_read(text.status());
}

Result<std::vector<Field>> Reader::read_file(const std::string& path) {
  PLAIT_ASSIGN(std::string content, read_job_text(path));
  return read_text(path, content);
}

std::vector<Field> Reader::read_text(const std::string& name, const std::string& text) {
  bytes_ += text.size();
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
  return with_includes(std::move(written), false);
}

// Fields without variables, and with those of included files in their place.
std::vector<Field> Reader::with_includes(std::vector<Field> written, bool in_repeat) {
  std::vector<Field> fields;
  for (Field& field : written) {
    if (errors_.is_full()) break;
    const bool is_variable = field.name.text == "var" && field.is_message;
    if (field.name.text == "include" && !field.bracketed) {
      include(field, fields);
    } else if (field.name.text == "set" && !field.bracketed && !field.is_message) {
      set(field, in_repeat);
    } else if (is_variable && in_repeat) {
      errors_.add(field.name.place, "a var is written outside of repeat",
                  "write its expression where its value is used, as in: filters: ${16 * i}");
    } else if (!is_variable) {
      if (is_repeat(field)) {
        variables_.expect_in_repeat(field.text_of("as"));
        if (++repeat_depth_ > kMaxDepth) {
          errors_.add(field.name.place, "repeats nest deeper than " + std::to_string(kMaxDepth) + " levels");
          field.fields.clear();
        }
        field.fields = with_includes(std::move(field.fields), true);
        --repeat_depth_;
      }
      fields.push_back(std::move(field));
    }
  }
  return fields;
}

// Its variables are replaced where it is applied, as those of --set.
void Reader::set(const Field& field, bool in_repeat) {
  const Place place = scalar_place(field);
  if (in_repeat)
    return errors_.add(field.name.place, "a set is written outside of repeat",
                       "it changes what the repeat makes, as in: set: \"layer[c2].frozen=true\"");
  if (!is_string(field.scalar[0].text))
    return errors_.add(place, "\"set\" wants a change in quotes",
                       "as in: set: \"layer[c1].convolution.filters=64\"");
  const Location where = location_of(place);
  changes_.push_back(
      {JobChange::Kind::kSet, scalar_text(field.scalar), where.file + ":" + std::to_string(where.line)});
}

void Reader::include(const Field& field, std::vector<Field>& fields) {
  if (texts_.size() >= kMaxFiles)
    return errors_.add(field.name.place,
                       "the job includes more than " + std::to_string(kMaxFiles) + " files");
  std::vector<Field> one = {field};
  variables_.substitute(one, errors_);
  const Place place = scalar_place(field);
  if (one[0].is_unresolved()) return;
  if (field.is_message || !is_string(one[0].scalar[0].text))
    return errors_.add(place, "\"include\" wants a file in quotes", "as in: include: \"network.txtpb\"");
  const std::string name = scalar_text(one[0].scalar);
  const std::string path = (fs::path(folder_of(writer_of(one[0].scalar))) / name).string();
  const auto open = std::find(open_.begin(), open_.end(), canonical(path));
  if (open != open_.end() || open_.size() >= kMaxIncludeDepth)
    return errors_.add(place,
                       open != open_.end() ? "\"" + name + "\" includes itself" : "includes nest too deep",
                       "the chain began in " + open_.front());
  auto content = SystemFiles().read(path, kMaxBytes);
  if (!content) return errors_.add(place, not_read(content.status()).message());
  if (bytes_ + content->size() > kMaxBytes)
    return errors_.add(place, "the files of the job are larger than 64 MiB together");
  std::vector<Field> included = read_text(path, *content);
  std::move(included.begin(), included.end(), std::back_inserter(fields));
}

}  // namespace plait::inline pipeline
