// plugins.lock: the plugins that a job may load, by digest. `plait doctor --lock` writes it, or --lock of a
// command that loads plugins; its --locked asks for it. A line is "id version sha256 file-name"; # begins a
// comment.
#pragma once
#include <string>

#include "base/status.h"
#include "registry/registry.h"

namespace plait::inline cli {

// Every library on the path that loads, also those that an earlier place hides.
// Fails with: kInvalid when the path as a whole does not load.
Result<std::string> lock_text(const SearchPath& path);

// Every library that a registry loaded, in its order.
std::string lock_text(const Registry& registry);

// "acme.swish 1.0.0 (swish.plait.so), ...": what the lock names and is not on the path. "" also when the lock
// cannot be read.
std::string missing_text(const SearchPath& path, const std::string& lock_file);

// Whether every library on the path has a digest that the lock names; before any is opened, since opening one
// runs it. Fails with: kInvalid naming the library, its digest and the lock's; kIo, kNotFound when a file
// cannot be read.
Status check_lock(const SearchPath& path, const std::string& lock_file);

}  // namespace plait::inline cli
