// The line that `plait try` takes: elements joined by "!", each a plugin with its fields.
//
//   shop_images ! convolution(filters=32) ! relu ! dense(10) ! preprocess:normalize(mean=0.5) !
//   train(epochs=3)
//
// The first element may be a pipeline file, or the name of one that is installed: it gives everything but
// layers. A plugin goes into the block of its kind, or into the one named before a colon; a block of the file
// that takes one plugin is replaced. An element that names a block itself (train, evaluate) sets fields of
// that. "dense(10)": a value without a name is one of the first field that must be written, else of the first
// field.
#pragma once
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/registry.h"

namespace plait::inline cli {

struct TryElement {
  std::string block;                                        // "" where the line does not say
  std::string name;                                         // "convolution", "acme.swish", a path
  std::vector<std::pair<std::string, std::string>> fields;  // name ("" where the line does not say), value
  size_t offset = 0;                                        // of the name, in the line
};

// Fails with: kUsage with what is wrong, its place in the line and a caret.
Result<std::vector<TryElement>> parse_chain(const std::string& line);

// The pipeline file that a line, as parse_chain read it, stands for.
// Fails with: kInvalid when an element is no plugin (did-you-mean) or its fields are too many, with the place
// in the line; kNotFound, kInvalid when the first element's file cannot be read.
Result<std::string> pipeline_of(const Registry& registry, const std::vector<TryElement>& elements,
                                const std::string& line);

// The file that a first element means, "" when it means none: the path itself, or NAME.txtpb in pipelines/,
// share/plait/pipelines or their folder data/.
std::string pipeline_named(const std::string& name);

}  // namespace plait::inline cli
