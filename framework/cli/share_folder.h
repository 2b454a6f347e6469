// Files that are installed beside the program: <prefix>/share/plait, and how the program finds them wherever
// it is.
#pragma once
#include <string>

namespace plait::inline cli {

// The program's own file, "" when the system does not tell.
std::string program_path();
// "<program's folder>/../share/plait/<name>". The same rule in the build folder and in an installed tree.
std::string share_path(const std::string& name);

}  // namespace plait::inline cli
