// Files that a command is told to write, where they are files that it reads.
#pragma once
#include <boost/program_options.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"

namespace plait::inline cli {

struct ReadFile {
  std::string what;  // "the pipeline file"
  std::string path;
};
using ReadFiles = std::vector<ReadFile>;

// Where both are there by device and inode, so through links too; else by path.
bool is_same_file(const std::string& a, const std::string& b);

// Fails with: kUsage when `path`, of `option`, is one of `read`.
Status check_overwrite(const std::string& option, const std::string& path, const ReadFiles& read);

// A pipeline file and what it includes.
ReadFiles files_of_pipeline(const std::string& path, const std::map<std::string, std::string>& vars);
// What --plugin, --locked, --lock and --weights name: the last but one is written too, by the same command.
ReadFiles files_of_options(const boost::program_options::variables_map& given);
// What the fields of a job's plugins name.
ReadFiles files_of_job(const Job& job);
// What a run has written into its folder.
ReadFiles files_of_run(const std::string& run_dir, const Job& job);

}  // namespace plait::inline cli
