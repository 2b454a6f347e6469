#include "base/library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cfenv>
#include <cstring>

namespace plait::inline base {
namespace {

// A library built with -ffast-math sets flush-to-zero in the thread that loads it, which would change later
// results.
class KeepFloatingPointMode {
 public:
  KeepFloatingPointMode() { std::fegetenv(&mode_); }
  ~KeepFloatingPointMode() { std::fesetenv(&mode_); }
  KeepFloatingPointMode(const KeepFloatingPointMode&) = delete;
  KeepFloatingPointMode& operator=(const KeepFloatingPointMode&) = delete;

 private:
  std::fenv_t mode_;
};

}  // namespace

Result<Library> Library::open(const std::string& path) {
  // A bare name would be looked for in the loader's own folders.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  if (::access(file.c_str(), R_OK) != 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return {Code::kNotFound, "\"" + path + "\": no such file"};
    return {Code::kIo, "\"" + path + "\" cannot be read: " + std::strerror(error)};
  }
  KeepFloatingPointMode keep;
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr)
    return {Code::kInvalid, "\"" + path + "\" is no plugin that can be loaded: " + ::dlerror()};
  return Library(path, handle);
}

void* Library::symbol(const char* name) const { return ::dlsym(handle_, name); }

}  // namespace plait::inline base
