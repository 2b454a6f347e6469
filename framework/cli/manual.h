// The manual page and the shell completion, made from what the commands say of themselves, so that neither
// forgets one.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"

namespace plait::inline cli {

// plait.1, in the language of man.
std::string manual_page(const std::vector<Command>& commands);

// A bash script that completes the words of `plait`: commands, options, their values, kinds, types, files.
std::string bash_completion(const std::vector<Command>& commands);

}  // namespace plait::inline cli
