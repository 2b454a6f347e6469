#include "verify/laws/source_file_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "registry/endings.h"
#include "registry/instance.h"
#include "registry/shape_text.h"
#include "registry/source_file.h"

namespace plait::inline verify {
namespace {

namespace fs = std::filesystem;

// In the folder of the test.
std::vector<std::string> named_files(const TypeEntry& source) {
  std::vector<std::string> files;
  for (const auto& file : fs::directory_iterator("."))
    for (const std::string& ending : endings_of(source))
      if (const std::string name = file.path().filename().string();
          file.is_regular_file() && name.ends_with(ending) && name.size() > ending.size())
        files.push_back(name);
  std::ranges::sort(files);
  return files;
}

std::string beginning_of(const std::string& file, size_t bytes) {
  std::string begin(bytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), static_cast<std::streamsize>(bytes));
  begin.resize(static_cast<size_t>(stream.gcount()));
  return begin;
}

class NamedFile {
 public:
  NamedFile(Trial& trial, const std::string& file) : trial_(trial), fields_(trial.entry()), file_(file) {}

  // Ok with `opened` false where the file needs more than its name.
  Status check(bool& opened) {
    PLAIT_TRY(check_beginning());
    PartSpec asked{"named_by_the_host", PLAIT_F32, {}, -1};
    PLAIT_ASSIGN(const auto config, fields_.config(file_, asked));
    PLAIT_TRY(open(*config));
    opened = opened_;
    if (!opened) return {};
    if (fields_.has_part() && part_.name != asked.name)
      return broken(fmt::format("the field \"{}\" names the part \"{}\", which is \"{}\"",
                                trial_.rules<plait_source_rules>().part_field, asked.name, part_.name));
    PLAIT_TRY(check_dtypes(asked));
    return check_shape(asked);
  }

 private:
  Status check_beginning() const {
    const auto* rules = &trial_.rules<plait_source_rules>();
    if (!PLAIT_HAS(rules, magic.size)) return {};
    const std::string_view magic(rules->magic.data, rules->magic.size);
    if (beginning_of(file_, magic.size()) == magic) return {};
    return broken(fmt::format("{} does not begin with the magic of the rules", file_));
  }

  Status open(const plait_config& config) {
    opened_ = false;
    CallContext context;
    auto made = create_instance(trial_.registry(), trial_.entry(), config, trial_.name().device_id, context);
    if (!made && is_refusal(made.status())) return {};
    if (!made) return made.status().at("open");
    PLAIT_ASSIGN(const SourceDescription described, describe_source(*made, context));
    part_ = described.parts.front();
    opened_ = true;
    return {};
  }

  // Numbers that a type cannot hold may refuse the file.
  Status check_dtypes(PartSpec asked) {
    for (const uint32_t dtype : {PLAIT_U8, PLAIT_I32, PLAIT_I64, PLAIT_F32, PLAIT_F64}) {
      asked.dtype = dtype;
      if (!fields_.has_dtype(dtype)) continue;
      PLAIT_ASSIGN(const auto config, fields_.config(file_, asked));
      PLAIT_TRY(open(*config));
      if (opened_ && part_.dtype != dtype)
        return broken(fmt::format("the field \"{}\" asks for {}, and the part is {}",
                                  trial_.rules<plait_source_rules>().dtype_field, dtype_name(dtype),
                                  part_text(part_)));
    }
    return {};
  }

  // The elements in another shape.
  Status check_shape(const PartSpec& asked) {
    PLAIT_ASSIGN(const auto config, fields_.config(file_, asked));
    PLAIT_TRY(open(*config));
    const bool is_lines = (trial_.rules<plait_source_rules>().flags & PLAIT_SOURCE_LINES) != 0;
    if (is_lines && (part_.dtype != PLAIT_U8 || part_.variable_axis != 0 || part_.shape.size() != 1))
      return broken(fmt::format("opens lines, which are bytes of one variable axis, but the part is {}",
                                part_text(part_)));
    if (!opened_ || (part_.variable_axis >= 0 && !is_lines)) return {};
    const std::vector<int64_t> wanted =
        is_lines ? std::vector<int64_t>{part_.shape[0] + 1}
                 : std::vector<int64_t>{1, static_cast<int64_t>(element_count(part_.shape)), 1};
    if (!fields_.set_shape(*config, wanted)) return {};
    PLAIT_TRY(open(*config));
    if (!opened_ || part_.shape != wanted)
      return broken(fmt::format("the field \"{}\" asks for extents {}, and the part {}",
                                trial_.rules<plait_source_rules>().shape_field, shape_text(wanted),
                                opened_ ? "is " + part_text(part_) : "is refused"));
    return {};
  }

  Trial& trial_;
  FileFields fields_;
  std::string file_;
  PartSpec part_;  // the first of the file that was opened last
  bool opened_ = false;
};

}  // namespace

Status opens_named_files(Trial& trial) {
  if (trial.type().rules == nullptr) return skipped("opens no file that is named alone");
  PLAIT_TRY(trial.examples().status());  // writes its files
  int opened = 0;
  for (const std::string& file : named_files(trial.entry())) {
    trial.doing("open " + file);
    bool is_open = false;
    PLAIT_TRY(NamedFile(trial, file).check(is_open).at(file));
    opened += is_open ? 1 : 0;
  }
  if (opened == 0)
    return skipped("no file of the examples has an ending of the rules and opens by its name alone; add one");
  trial.remark(fmt::format("{} files", opened));
  return {};
}

}  // namespace plait::inline verify
