#include "train/init_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/regular_file.h"
#include "graph/sample_reader.h"
#include "pipeline/load.h"
#include "plan/wanted_values.h"
#include "registry/endings.h"
#include "registry/shape_text.h"
#include "train/given_file.h"
#include "train/safetensors.h"

namespace plait::inline train {
namespace {

constexpr const char* kTensors = ".safetensors";

Status invalid(const InitSpec& init, const std::string& message, Code code = Code::kInvalid) {
  return {code, error_at(init.where, "init: " + init.file + ": " + message)};
}

Status other_shape(const InitSpec& init, const ParameterInfo& info, const std::vector<int64_t>& got) {
  return invalid(
      init, fmt::format("an array {}, wanted {} {}", shape_text(got), info.name, shape_text(info.shape)));
}

Result<const StoredTensor*> find_tensor(const InitSpec& init, const ParameterInfo& info,
                                        const StoredTensors& stored) {
  const std::vector<std::string> names = init.array.empty()
                                             ? std::vector<std::string>{info.name, init.parameter}
                                             : std::vector<std::string>{init.array};
  for (const std::string& name : names)
    for (const StoredTensor& tensor : stored.tensors)
      if (tensor.name == name) return &tensor;
  if (init.array.empty() && stored.tensors.size() == 1) return &stored.tensors.front();
  return invalid(init, fmt::format("no tensor \"{}\" among {}", names.front(), stored.tensors.size()));
}

Result<std::vector<float>> from_tensors(const InitSpec& init, const ParameterInfo& info) {
  PLAIT_ASSIGN(const std::string bytes, read_file_or_pipe(init.file, kMostFile_bytes));
  PLAIT_ASSIGN(const StoredTensors stored, read_safetensors(bytes, init.file));
  PLAIT_ASSIGN(const StoredTensor* const tensor, find_tensor(init, info, stored));
  if (tensor->shape != info.shape) return other_shape(init, info, tensor->shape);
  return f32_values(*tensor);
}

std::vector<int64_t> whole_shape(const SampleReader& reader, const PartSpec& row) {
  std::vector<int64_t> shape = {reader.records()};
  shape.insert(shape.end(), row.shape.begin(), row.shape.end());
  return shape;
}

Result<std::vector<float>> from_rows(const Registry& registry, const InitSpec& init,
                                     const ParameterInfo& info) {
  if (!init.array.empty())
    return invalid(init, "holds rows without a name: got array \"" + init.array + "\", wanted none");
  if (info.shape.empty()) return invalid(init, info.name + " is a single number, which has no rows");
  PartSpec row;
  row.name = init.parameter;
  row.dtype = PLAIT_F32;
  row.shape.assign(info.shape.begin() + 1, info.shape.end());
  PLAIT_ASSIGN(const auto given, GivenFile::open(registry, init.file, row, {}));
  const std::vector<PluginSpec> none;
  SampleReader::Options options;
  options.training = false;
  options.augment = options.preprocess = &none;
  PLAIT_ASSIGN(const auto reader, SampleReader::create(registry, given->spec(), options));
  PLAIT_TRY(given->check(reader->source_parts()));
  if (reader->records() != info.shape[0]) return other_shape(init, info, whole_shape(*reader, row));
  std::vector<float> values(info.elements);
  const auto scratch = reader->make_scratch();
  for (int64_t i = 0; i < reader->records(); ++i) {
    void* const into[] = {values.data()};
    PLAIT_TRY(reader->read({i, 0, static_cast<uint64_t>(i)}, static_cast<int>(i), into, {}, *scratch));
  }
  return values;
}

// A pipe is read once, and a run's weights are made more than once: to check a job, and by each rank.
Status check_file(const Registry& registry, const InitSpec& init) {
  if (is_stream(init.file)) return invalid(init, "is a pipe, wanted a regular file");
  if (init.file.ends_with(kTensors) ||
      !types_for_file(registry, kKindOf<plait_source_ops>, init.file).empty())
    return {};
  const std::vector<std::string> endings = all_endings(registry, kKindOf<plait_source_ops>);
  return invalid(init,
                 fmt::format("wanted a name that ends in one of {}, {}", kTensors, fmt::join(endings, ", ")));
}

Result<NamedTensor> tensor_of(const Registry& registry, const InitSpec& init, const ParameterInfo& info) {
  PLAIT_TRY(check_file(registry, init));
  auto read = init.file.ends_with(kTensors) ? from_tensors(init, info) : from_rows(registry, init, info);
  if (!read) {
    const Status& status = read.status();
    const bool is_placed = status.message().starts_with(init.where.text());
    return is_placed ? status : Status(status.code(), error_at(init.where, "init: " + status.message()));
  }
  if (const std::string bad = unwanted_value(info, *read); !bad.empty())
    return invalid(init, info.name + ": " + bad, Code::kNumeric);
  return NamedTensor{info.name, info.shape, std::move(read).value()};
}

}  // namespace

Result<NamedTensors> init_from_files(const Registry& registry, const Job& job, const Network& network) {
  NamedTensors tensors;
  for (const LayerSpec& layer : job.layers) {
    for (const InitSpec& init : layer.init) {
      const auto info =
          std::ranges::find(network.parameters, layer.name + "." + init.parameter, &ParameterInfo::name);
      if (init.file.empty() || info == network.parameters.end()) continue;  // see check_inits
      PLAIT_ASSIGN(NamedTensor tensor, tensor_of(registry, init, *info));
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

}  // namespace plait::inline train
