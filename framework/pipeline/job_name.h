// The name of a job, which becomes the name of a folder: runs/NAME-TIME.
#pragma once
#include <string>

namespace plait::inline pipeline {

constexpr size_t kMaxJobName_bytes = 200;  // file systems take 255, and the time follows

// Why `name`, printable text of one line, cannot be a job's: "holds a \"/\"". "" when it can.
std::string job_name_fault(const std::string& name);

// Why it cannot be that of a stage, loss or metric, which is in file names, columns and lines. "" when it
// can.
std::string name_fault(const std::string& name);

// A name for a job that says none, from its file's, which may be any bytes.
std::string job_name_of(const std::string& path);

}  // namespace plait::inline pipeline
