#include "train/input_record.h"

#include <bit>
#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "registry/shape_text.h"
#include "train/ranks.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr size_t kDigits = 16;  // of an f64

Json to_json(const PartSpec& part) {
  Json written = {{"name", part.name},
                  {"dtype", dtype_name(part.dtype)},
                  {"shape", part.shape},
                  {"variable_axis", part.variable_axis}};
  if (part.second_axis >= 0) written["second_axis"] = part.second_axis;
  return written;
}

std::string hexadecimal(const std::vector<double>& values) {
  static const char* const kNames = "0123456789abcdef";
  std::string text;
  text.reserve(values.size() * kDigits);
  for (const double value : values) {
    const auto bits = std::bit_cast<uint64_t>(value);
    for (int shift = 60; shift >= 0; shift -= 4) text += kNames[bits >> shift & 15];
  }
  return text;
}

bool read_hexadecimal(const std::string& text, std::vector<double>& values) {
  if (text.size() % kDigits != 0) return false;
  for (size_t at = 0; at < text.size(); at += kDigits) {
    uint64_t bits = 0;
    for (size_t i = 0; i < kDigits; ++i) {
      const char c = text[at + i];
      const bool is_letter = c >= 'a' && c <= 'f';
      if (!is_letter && (c < '0' || c > '9')) return false;
      bits = bits << 4 | static_cast<uint64_t>(is_letter ? c - 'a' + 10 : c - '0');
    }
    values.push_back(std::bit_cast<double>(bits));
  }
  return true;
}

// Of all that comes before the digest.
std::string digest_of(Json object) {
  object.erase("sha256");
  return Sha256::hex_of(json_text(object));
}

std::string text_or_nothing(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

class RecordReader {
 public:
  explicit RecordReader(const std::string& place) : place_(place) {}

  Result<InputRecord> run(const std::string& text) {
    PLAIT_TRY(check_json_bounds(text).at(place_));
    const Json object = parse_json<Json>(text);
    if (!object.is_object() || text_or_nothing(object, "format") != "plait input")
      return bad("no JSON of its kind");
    const auto version = object.find("version");
    if (version == object.end() || !version->is_number_unsigned()) return bad("no version");
    if (*version != kVersion)
      return Status(Code::kUnsupported, place_ + ": version " + json_text(*version) + ", this Plait reads " +
                                            std::to_string(kVersion));
    if (text_or_nothing(object, "sha256") != digest_of(object))
      return bad("its content does not fit its sha256");
    try {
      return fields(object);
    } catch (const Json::exception& error) {
      return bad(error.what());
    }
  }

 private:
  Status bad(const std::string& why) const {
    return {Code::kCorrupt, place_ + ": damaged, " + why +
                                "; it says what the network of the run is given, and the run that wrote it, "
                                "trained again, writes it again"};
  }

  Result<InputRecord> fields(const Json& object) {
    InputRecord input;
    for (const Json& written : object.at("parts")) {
      PLAIT_ASSIGN(PartSpec one, part(written));
      input.parts.push_back(std::move(one));
    }
    if (input.parts.empty()) return bad("no parts");
    object.at("classes").get_to(input.classes);
    object.at("class_names").get_to(input.class_names);
    for (const Json& written : object.at("preprocess")) {
      input.fitted_types.push_back(written.at("type").get<std::string>());
      if (!read_hexadecimal(written.at("fit").get<std::string>(), input.fits.emplace_back()))
        return bad("a fit that is no hexadecimal numbers");
    }
    input.made_from = text_or_nothing(object, "made_from");
    return input;
  }

  Result<PartSpec> part(const Json& written) {
    PartSpec part;
    written.at("name").get_to(part.name);
    written.at("shape").get_to(part.shape);
    written.at("variable_axis").get_to(part.variable_axis);
    if (written.contains("second_axis")) written.at("second_axis").get_to(part.second_axis);
    const auto dtype = written.at("dtype").get<std::string>();
    part.dtype = 0;
    for (const uint32_t known : {PLAIT_F32, PLAIT_BF16, PLAIT_F16, PLAIT_F64, PLAIT_U8, PLAIT_I32, PLAIT_I64})
      if (dtype == dtype_name(known)) part.dtype = known;
    if (part.shape.size() > PLAIT_MAX_RANK)
      return bad("a part of " + std::to_string(part.shape.size()) + " axes");
    const auto good = part_of(part.raw());
    return good ? good : bad(good.status().message());
  }

  const std::string& place_;
};

}  // namespace

InputRecord describe_input(const SampleReader& training, const Job& job) {
  InputRecord input{
      training.source_parts(), training.classes(), training.class_names(), training.fits(), {}, {}};
  for (const PluginSpec& spec : job.preprocess) input.fitted_types.push_back(spec.id());
  return input;
}

std::string to_text(const InputRecord& input) {
  Json parts = Json::array(), preprocess = Json::array();
  for (const PartSpec& part : input.parts) parts.push_back(to_json(part));
  for (size_t i = 0; i < input.fits.size(); ++i)
    preprocess.push_back({{"type", input.fitted_types[i]}, {"fit", hexadecimal(input.fits[i])}});
  Json object = {{"format", "plait input"},
                 {"version", kVersion},
                 {"parts", parts},
                 {"classes", input.classes},
                 {"class_names", input.class_names},
                 {"preprocess", preprocess},
                 {"made_from", input.made_from}};
  object["sha256"] = digest_of(object);
  return json_text(object, 2) + "\n";
}

Result<InputRecord> input_record_of(const std::string& text, const std::string& place) {
  return RecordReader(place).run(text);
}

std::string input_path(const std::string& run_dir) { return run_dir + "/input.json"; }

Result<std::optional<InputRecord>> read_input_record(Files& files, const std::string& run_dir,
                                                     const Job& job) {
  const std::string path = input_path(run_dir);
  if (!files.exists(path)) return std::optional<InputRecord>();
  PLAIT_ASSIGN(const std::string text, files.read(path));
  PLAIT_ASSIGN(InputRecord input, input_record_of(text, path));
  input.fits.resize(std::max(input.fits.size(), job.preprocess.size()));
  input.fitted_types.resize(input.fits.size());
  for (size_t i = 0; i < input.fits.size(); ++i) {
    const std::string id = i < job.preprocess.size() ? job.preprocess[i].id() : "nothing";
    if (!input.fits[i].empty() && id != input.fitted_types[i])
      return Status(Code::kInvalid, path + ": operator " + std::to_string(i + 1) + " of preprocess was " +
                                        input.fitted_types[i] +
                                        " with a pass over the training records, is " + id);
  }
  return std::optional<InputRecord>(std::move(input));
}

Result<std::optional<InputRecord>> share_input_record(Files& files, const std::string& run_dir,
                                                      const Job& job, Transport& transport) {
  std::string text;
  if (transport.is_root()) {
    PLAIT_ASSIGN(const auto kept, read_input_record(files, run_dir, job));
    if (kept) text = to_text(*kept);
  }
  PLAIT_ASSIGN(text, share_text(transport, text));
  if (text.empty()) return std::optional<InputRecord>();
  PLAIT_ASSIGN(InputRecord shared, input_record_of(text, input_path(run_dir)));
  return std::optional<InputRecord>(std::move(shared));
}

}  // namespace plait::inline train
