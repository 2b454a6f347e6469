// What a stage of the file makes, as the plugins that name it see it: shapes from the check on, values once
// it has run. Shared by the stage and by the configurations that name it.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "registry/config.h"
#include "registry/parts.h"

namespace plait::inline registry {

// Threads: declare and set [setup only]; the rest [any].
class StageArrays {
 public:
  StageArrays() = default;
  StageArrays(const StageArrays&) = delete;
  StageArrays& operator=(const StageArrays&) = delete;

  struct Array {
    PartSpec spec;  // whole shapes; a first extent of -1 is not known before the stage has run
    std::vector<std::byte> bytes;
    std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  };

  // Values that were there are gone.
  void declare(const std::vector<PartSpec>& specs);
  // Fails with: kInvalid for an array that was declared otherwise, or whose bytes are not those of its shape.
  Status set(std::vector<Array> arrays);

  // Where the file has the stage, for messages that name both ends: "job.txtpb:2:1".
  void set_origin(std::string stage, std::string place);
  // 'stage "moments" (job.txtpb:2:1)'; "" without an origin.
  std::string origin_text() const;

  bool is_declared() const { return output_.struct_size != 0; }
  bool has_values() const { return has_values_; }
  const std::vector<Array>& arrays() const { return arrays_; }
  const Array* find(std::string_view name) const;
  // "mean f64[1], count i64[1]"
  std::string text() const;
  // Null until it is declared.
  const plait_stage_output* raw() const { return is_declared() ? &output_ : nullptr; }

 private:
  void make_tables();

  std::string stage_, place_;
  std::vector<Array> arrays_;
  bool has_values_ = false;
  std::vector<plait_tensor> tensors_;
  std::vector<const plait_tensor*> pointers_;
  plait_stage_output output_{};
};

// Whether a plugin of this configuration has to be made later, since a stage that it names has not run: its
// own fields, and those of nested messages and children.
bool waits_for_stage(const plait_config& config);
// The stages that it names.
void add_stages(const plait_config& config, std::vector<const StageArrays*>& to);
// Where they are, behind a message or a place: ', with stage "moments" (job.txtpb:2:1)', each stage once; ""
// for none.
std::string origins_text(const std::vector<const StageArrays*>& stages);
std::string origins_text(const plait_config& config);

}  // namespace plait::inline registry
