// The files that a pipeline file is read from, for those who are about to write one.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace plait::inline pipeline {

// It, and what it includes, in the order in which they are met; those that cannot be read are left out.
std::vector<std::string> files_read(const std::string& path,
                                    const std::map<std::string, std::string>& vars = {});

}  // namespace plait::inline pipeline
