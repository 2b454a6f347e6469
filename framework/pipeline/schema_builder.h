// The types of pipeline files: the compiled messages of pipeline.proto, and in a private pool their
// extensions by what the loaded plugins say of themselves. Beside them, what each descriptor stands for.
#pragma once
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/core_fields.h"
#include "registry/registry.h"

namespace plait::inline pipeline {

namespace pb = google::protobuf;

// What a field of a message stands for: a value (`field`), a plugin (`plugin`), or a top-level block
// (`block`).
struct FieldMeaning {
  const plait_field* field = nullptr;
  const TypeEntry* plugin = nullptr;
  const CoreBlock* block = nullptr;
  std::string written;  // "filters", "convolution", "[acme.swish]"
};

// What a message stands for.
struct MessageMeaning {
  std::string title;                               // for errors: "convolution", "layer", "train", "the job"
  const char* plugin_kind = nullptr;               // a plugin of this kind may be here
  std::vector<const pb::FieldDescriptor*> fields;  // values, in order
  std::map<std::string, const pb::FieldDescriptor*> plugins;  // by id
};

// Threads: [any] after build.
class Schema {
 public:
  // Fails with: kPlugin when a plugin's names cannot be field names.
  static Result<std::unique_ptr<Schema>> build(const Registry& registry);

  const Registry& registry() const { return registry_; }
  const pb::Descriptor* job() const { return job_; }
  // job::Pipeline
  std::unique_ptr<pb::Message> make_job() const;
  // Makes messages of the types of plugins; it outlives them.
  pb::MessageFactory& factory() const { return factory_; }
  const FieldMeaning& meaning(const pb::FieldDescriptor* field) const { return fields_.at(field); }
  const MessageMeaning& meaning(const pb::Descriptor* message) const { return messages_.at(message); }
  // The field that `name` means in a message: an own field, a plugin's short name or its id. Null when there
  // is none.
  const pb::FieldDescriptor* find(const pb::Descriptor* message, const std::string& name,
                                  bool bracketed) const;
  // Own fields and plugins that can be written in `message`, as written.
  std::vector<std::string> names_in(const pb::Descriptor* message) const;
  // Every message: first that of the job and those of pipeline.proto, in its order, then types of plugins.
  const std::vector<const pb::Descriptor*>& messages() const { return order_; }

 private:
  explicit Schema(const Registry& registry) : registry_(registry) {
    factory_.SetDelegateToGeneratedFactory(true);
  }
  friend class SchemaBuilder;

  const Registry& registry_;
  // Types of plugins refer to compiled ones, and are no part of the pool of those.
  pb::DescriptorPool pool_{pb::DescriptorPool::generated_pool()};
  mutable pb::DynamicMessageFactory factory_{&pool_};
  const pb::Descriptor* job_ = nullptr;
  std::vector<const pb::Descriptor*> order_;
  std::map<const pb::FieldDescriptor*, FieldMeaning> fields_;
  std::map<const pb::Descriptor*, MessageMeaning> messages_;
};

// "(integer, default 1, >= 1: size of the window)": what a person needs to know of a field.
std::string describe(const plait_field& field);

}  // namespace plait::inline pipeline
