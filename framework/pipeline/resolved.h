// A Job written back as text: the whole of it, explicit, so that it replays to the same bits.
#pragma once
#include <string>

#include "pipeline/job.h"

namespace plait::inline pipeline {

enum class Detail {
  kWritten,  // fields that the file wrote
  kAll,      // defaults too
};

// A string as a file writes it: a dollar sign is doubled, since one begins a variable.
std::string quoted_text(const std::string& value);
// "convolution", "[acme.swish]".
std::string type_text(const plait_type& type);
// "convolution { filters: 6 kernel: [5, 5] }", "[acme.swish] { }".
std::string plugin_text(const plait_type& type, const plait_config& config, Detail detail);
std::string plugin_text(const PluginSpec& plugin, Detail detail);
// layer { ... } on one line. With kAll the inputs are named even where the file leaves them out.
std::string layer_text(const LayerSpec& layer, Detail detail);

// "global_norm: 1"
std::string clip_text(const ClipSpec& clip);

enum class Form {
  kShort,  // source, train, test, ... of the job
  kLong,   // a stage { } for each step of it
};
// Laws: reading the text and writing it again gives the same text; both forms are read as the same job.
std::string resolved_text(const Job& job, Form form = Form::kShort);

}  // namespace plait::inline pipeline
