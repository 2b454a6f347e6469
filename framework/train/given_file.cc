#include "train/given_file.h"

#include <algorithm>

#include "base/regular_file.h"
#include "registry/endings.h"
#include "registry/instance.h"
#include "registry/kind_of.h"
#include "registry/shape_text.h"
#include "train/job_data.h"

namespace plait::inline train {
namespace {

constexpr uint64_t kMostPiped_bytes = uint64_t{1} << 30;
constexpr const char* kSources = kKindOf<plait_source_ops>;

std::string spoken(const std::string& path) { return path == "-" ? "standard input" : path; }

Result<const TypeEntry*> only(const std::vector<const TypeEntry*>& fit, const std::string& path,
                              const std::string& wanted) {
  if (fit.size() == 1) return fit.front();
  if (fit.empty()) return Status(Code::kInvalid, spoken(path) + ": " + wanted);
  return Status(Code::kInvalid, spoken(path) + ": both " + fit[0]->type->id + " and " + fit[1]->type->id +
                                    " open such a file; say which by --source");
}

std::string wanted_names(const Registry& registry) {
  std::string text = "wanted a name that ends in one of ";
  for (const std::string& ending : all_endings(registry, kSources)) text += ending + ", ";
  return text + "or - or a pipe of such a file, or test, or validation; other files by --source";
}

// The same elements in the same order, beyond doubt.
bool is_same_but_for_axes(const std::vector<int64_t>& got, const std::vector<int64_t>& wanted) {
  if (element_count(got) != element_count(wanted)) return false;
  if (got.size() == 1) return true;
  return !wanted.empty() && wanted.back() == 1 &&
         got == std::vector<int64_t>(wanted.begin(), wanted.end() - 1);
}

}  // namespace

Result<std::unique_ptr<GivenFile>> GivenFile::open(const Registry& registry, const std::string& path,
                                                   const PartSpec& part, std::optional<Heading> heading,
                                                   const std::string* piped) {
  std::unique_ptr<GivenFile> given(new GivenFile(path, part));
  const Status settled = given->settle(registry, heading, piped);
  if (!settled) return given->named(settled);
  return given;
}

Result<std::string> GivenFile::read_pipe(const std::string& path) {
  return read_file_or_pipe(path, kMostPiped_bytes);
}

Result<const TypeEntry*> GivenFile::choose(const Registry& registry, const std::string* piped) {
  if (!is_stream(path_))
    return only(types_for_file(registry, kSources, path_), path_, wanted_names(registry));
  std::string own;
  if (piped == nullptr) {
    PLAIT_ASSIGN(own, read_pipe(path_));
    piped = &own;
  }
  const std::string& bytes = *piped;
  PLAIT_ASSIGN(piped_, MemoryFile::create(bytes));
  return only(sources_for_bytes(registry, bytes, part_), path_,
              "no source that is loaded opens what begins so");
}

Status GivenFile::settle(const Registry& registry, std::optional<Heading> heading, const std::string* piped) {
  PLAIT_ASSIGN(spec_.entry, choose(registry, piped));
  spec_.where.file = spoken(path_);
  const FileFields fields(*spec_.entry);
  PLAIT_ASSIGN(spec_.config, fields.config(place(), part_));
  if (heading && !fields.set_heading(*spec_.config, *heading))
    return {Code::kUsage, "--header: " + spec_.entry->short_name() + ", which opens " + spoken(path_) +
                              ", knows of no heading; wanted it left out"};
  if (fields.is_settled_unseen()) return fields.set_shape(*spec_.config, part_.shape), Status();
  return settle_shape(registry, fields);
}

// An array's own extents are looked at first: others of as many elements may mean another order of axes.
Status GivenFile::settle_shape(const Registry& registry, const FileFields& fields) {
  CallContext context;
  PLAIT_ASSIGN(const Instance source,
               create_instance(registry, *spec_.entry, *spec_.config, PLAIT_HOST_DEVICE, context));
  PLAIT_ASSIGN(const SourceDescription described, describe_source(source, context));
  const PartSpec& got = described.parts.front();
  if (got.shape == part_.shape || got.variable_axis >= 0) return check(described.parts);
  if (is_same_but_for_axes(got.shape, part_.shape) && fields.set_shape(*spec_.config, part_.shape)) return {};
  return differ(described.parts);
}

Status GivenFile::check(const std::vector<PartSpec>& parts) const {
  return std::ranges::find(parts, part_) != parts.end() ? Status() : differ(parts);
}

Status GivenFile::differ(const std::vector<PartSpec>& parts) const {
  return {Code::kInvalid,
          spoken(path_) + ": records are " + parts_text(parts) + ", wanted " + part_text(part_)};
}

Status GivenFile::named(const Status& status) const {
  if (!piped_ || status) return status;
  std::string text = status.message();
  const std::string& path = piped_->path();
  for (size_t at = 0; (at = text.find(path, at)) != std::string::npos; at += spoken(path_).size())
    text.replace(at, path.size(), spoken(path_));
  return {status.code(), text};
}

}  // namespace plait::inline train
