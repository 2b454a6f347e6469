#include "cli/overwrite.h"

#include <sys/stat.h>

#include <filesystem>

#include "pipeline/files_read.h"
#include "registry/config.h"
#include "train/job_facts.h"

namespace plait::inline cli {
namespace fs = std::filesystem;
namespace {

std::string normal_path(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path), error);
  return error ? fs::path(path).lexically_normal().string() : whole.string();
}

void add_paths(const plait_config& config, const std::string& of, ReadFiles& into) {
  for (const ConfigField& field : config.fields)
    for (const ConfigValue& value : field.values) {
      if (const auto* nested = std::get_if<std::shared_ptr<plait_config>>(&value); nested && *nested)
        add_paths(**nested, of, into);
      if (const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value); child && *child)
        add_paths(*(*child)->config, of, into);
      const auto* text = std::get_if<std::string>(&value);
      if (text != nullptr && (field.field->flags & PLAIT_FIELD_PATH) != 0 && !text->empty())
        into.push_back({"\"" + std::string(field.field->name) + "\" of " + of, *text});
    }
}

}  // namespace

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  const bool are_there = ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0;
  if (are_there) return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
  return normal_path(a) == normal_path(b);
}

Status check_overwrite(const std::string& option, const std::string& path, const ReadFiles& read) {
  if (path.empty()) return {};
  for (const ReadFile& file : read)
    if (!file.path.empty() && is_same_file(path, file.path))
      return {Code::kUsage, option + " " + path + ": would be written over " + file.what +
                                "; wanted a file that is nothing else"};
  return {};
}

ReadFiles files_of_pipeline(const std::string& path, const std::map<std::string, std::string>& vars) {
  ReadFiles files = {{"the pipeline file", path}};
  for (const std::string& file : files_read(path, vars))
    if (file != path) files.push_back({"a file that the pipeline includes", file});
  return files;
}

ReadFiles files_of_options(const boost::program_options::variables_map& given) {
  ReadFiles files;
  for (const char* name : {"locked", "lock", "weights"})
    if (given.count(name)) files.push_back({std::string("that of --") + name, given[name].as<std::string>()});
  if (given.count("plugin"))
    for (const std::string& path : given["plugin"].as<std::vector<std::string>>())
      files.push_back({"that of --plugin", path});
  return files;
}

ReadFiles files_of_job(const Job& job) {
  ReadFiles files;
  for (const auto& [place, plugin] : plugins_of(job))
    add_paths(*plugin->config, place + " " + plugin->entry->short_name(), files);
  return files;
}

ReadFiles files_of_run(const std::string& run_dir, const Job& job) {
  ReadFiles files;
  const auto add = [&](const std::string& name) {
    files.push_back({"the run's own " + name, run_dir + "/" + name});
  };
  for (const char* name : {"lock", "resolved.txtpb", "input.json", "begun_with.json", "plugins.lock",
                           "metrics.jsonl", "curve.csv", "weights.safetensors", "summary.json"})
    add(name);
  for (const StageSpec& stage : job.stages) {
    add(stage.output);
    add(stage.output + ".stage.json");
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run_dir + "/checkpoints", error))
    add("checkpoints/" + entry.path().filename().string());
  return files;
}

}  // namespace plait::inline cli
