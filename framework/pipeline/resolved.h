// A Job written back as text: the whole of it, explicit, so that it replays to the same bits.
#pragma once
#include <string>

#include "pipeline/job.h"

namespace plait {

enum class Detail {
  kWritten,  // fields that the file wrote
  kAll,      // defaults too
};

// "convolution { filters: 6 kernel: [5, 5] }", "[acme.swish] { }".
std::string plugin_text(const PluginSpec& plugin, Detail detail);
// layer { ... } on one line. With kAll the inputs are named even where the file leaves them out.
std::string layer_text(const LayerSpec& layer, Detail detail);
// Law: reading the text and writing it again gives the same text.
std::string resolved_text(const Job& job);

}  // namespace plait
