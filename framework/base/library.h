// A shared library opened for the life of the process. It is never unloaded: thread-local destructors,
// statics and tasks in flight make dlclose a lottery.
#pragma once
#include <string>

#include "base/status.h"

namespace plait::inline base {

class Library {
 public:
  // Opens `path` with RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE.
  // The floating-point mode of the calling thread is as before.
  // Fails with: kNotFound when there is no such file; kIo when it may not be read; kInvalid when the loader
  // refuses it (its words are in the message). Threads: [setup only]
  static Result<Library> open(const std::string& path);

  // Address of an exported symbol, nullptr when there is none.
  void* symbol(const char* name) const;
  const std::string& path() const { return path_; }

 private:
  Library(std::string path, void* handle) : path_(std::move(path)), handle_(handle) {}
  std::string path_;
  void* handle_;
};

}  // namespace plait::inline base
