// A file of samples that a person names, as a source: which plugin opens it follows from its name, or, of a
// pipe, from its first bytes.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/memory_file.h"
#include "base/status.h"
#include "pipeline/job.h"
#include "registry/source_file.h"

namespace plait::inline train {

class GivenFile {
 public:
  // `path`: a file whose ending a source names; "-" or a pipe, of which at most 1 GiB is read, whole, and
  // then lies in memory as a file. Records have the part `part`; they are taken in its extents where a last
  // extent of 1 is left out, or where all is one axis. `heading`: of tables; nothing: found out.
  // `piped`: what a pipe held, where another rank has read it.
  // Fails with: kInvalid where no source opens such a file, or several do, or records are others; kUsage for
  // `heading` where there can be none; what the source reports.
  static Result<std::unique_ptr<GivenFile>> open(const Registry& registry, const std::string& path,
                                                 const PartSpec& part, std::optional<Heading> heading,
                                                 const std::string* piped = nullptr);
  // What `path`, "-" or a pipe, holds. Fails with: as read_file_or_pipe.
  static Result<std::string> read_pipe(const std::string& path);

  // The source, as a pipeline file would write it; for as long as this lives.
  const PluginSpec& spec() const { return spec_; }
  // Whether `parts`, of the source when it is open, are what was asked for. Fails with: kInvalid.
  Status check(const std::vector<PartSpec>& parts) const;
  // What is said of a pipe, by its own name.
  Status named(const Status& status) const;

 private:
  GivenFile(std::string path, PartSpec part) : path_(std::move(path)), part_(std::move(part)) {}
  Result<const TypeEntry*> choose(const Registry& registry, const std::string* piped);
  Status settle(const Registry& registry, std::optional<Heading> heading, const std::string* piped);
  Status settle_shape(const Registry& registry, const FileFields& fields);
  Status differ(const std::vector<PartSpec>& parts) const;
  const std::string& place() const { return piped_ ? piped_->path() : path_; }

  std::string path_;
  PartSpec part_;
  std::optional<MemoryFile> piped_;
  PluginSpec spec_;
};

}  // namespace plait::inline train
