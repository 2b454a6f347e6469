#include "registry/library.h"

#include <dlfcn.h>
#include <unistd.h>

namespace plait {

Result<Library> Library::open(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) return {Code::kNotFound, "\"" + path + "\": no such readable file"};
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return {Code::kInvalid, "\"" + path + "\" cannot be loaded: " + ::dlerror()};
  return Library(path, handle);
}

void* Library::symbol(const char* name) const { return ::dlsym(handle_, name); }

}  // namespace plait
