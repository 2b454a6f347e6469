#include "pipeline/job_name.h"

#include <algorithm>
#include <filesystem>

#include "base/shown.h"

namespace plait::inline pipeline {

namespace {

std::string length_fault(const std::string& name) {
  return name.size() <= kMaxJobName_bytes ? ""
                                          : "is longer than " + std::to_string(kMaxJobName_bytes) + " bytes";
}

bool is_blank(const std::string& name) { return name.find_first_not_of(' ') == std::string::npos; }

}  // namespace

std::string name_fault(const std::string& name) {
  if (name.empty()) return "is empty";
  if (is_blank(name)) return "is blank";
  if (name.starts_with('-')) return "begins with a dash";
  return length_fault(name);
}

std::string job_name_fault(const std::string& name) {
  if (name.find('/') != std::string::npos) return "holds a \"/\"";
  if (name.starts_with('.') || name.starts_with('-')) return "begins with a dot or a dash";
  if (!name.empty() && is_blank(name)) return "is blank";
  return length_fault(name);
}

std::string job_name_of(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  if (const std::string printable = shown(name); printable != name) {
    name = printable;
    std::replace(name.begin(), name.end(), '\\', '_');
  }
  name.erase(0, name.find_first_not_of(".-"));
  return name.empty() || !job_name_fault(name).empty() ? "job" : name;
}

}  // namespace plait::inline pipeline
