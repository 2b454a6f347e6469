// What a pipeline file may add to the plugins of a command: a file alone runs no code.
#pragma once
#include "pipeline/load.h"
#include "registry/registry.h"

namespace plait::inline cli {

// Of the plugins and folders that a file names, those to be loaded besides `own`, the path that the person
// set: libraries in folders of `own`. Libraries with the bytes of a file of `own` are loaded as that file.
// Fails with: kInvalid at the first other one, with its place and how it can be loaded.
Result<PluginScan> trusted_plugins(const PluginScan& named, const SearchPath& own);

}  // namespace plait::inline cli
