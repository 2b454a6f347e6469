#include "pipeline/init_block.h"

#include "pipeline/resolved.h"
#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

using Init = job::Layer::Init;

constexpr const char* kWanted =
    "one of from (a stage), file, constant, uniform, normal, truncated_normal, glorot_uniform, "
    "glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, orthogonal";

// How many of the fields that say what a parameter begins with are written.
int count_written(const Init& written) {
  const pb::Descriptor& message = *Init::descriptor();
  int count = 0;
  for (int i = 0; i < message.field_count(); ++i) {
    const int number = message.field(i)->number();
    const bool is_beside = number == Init::kArrayFieldNumber || number == Init::kParameterFieldNumber;
    count += !is_beside && written.GetReflection()->HasField(written, message.field(i));
  }
  return count;
}

InitialDistribution scaled(const char* word, const Init::Scaled& written) {
  return {word, 0, 0, written.gain(), false};
}

InitialDistribution scaled(const char* word, const Init::FanScaled& written) {
  return {word, 0, 0, written.gain(), written.fan() == Init::FanScaled::out};
}

InitialDistribution distribution_of(const Init& written) {
  if (written.has_constant()) return {"constant", written.constant().value()};
  if (written.has_uniform()) return {"uniform", written.uniform().low(), written.uniform().high()};
  if (written.has_normal()) return {"normal", written.normal().mean(), written.normal().deviation()};
  if (written.has_truncated_normal())
    return {"truncated_normal", written.truncated_normal().mean(), written.truncated_normal().deviation()};
  if (written.has_glorot_uniform()) return scaled("glorot_uniform", written.glorot_uniform());
  if (written.has_glorot_normal()) return scaled("glorot_normal", written.glorot_normal());
  if (written.has_he_uniform()) return scaled("he_uniform", written.he_uniform());
  if (written.has_he_normal()) return scaled("he_normal", written.he_normal());
  if (written.has_lecun_uniform()) return scaled("lecun_uniform", written.lecun_uniform());
  if (written.has_lecun_normal()) return scaled("lecun_normal", written.lecun_normal());
  if (written.has_orthogonal()) return scaled("orthogonal", written.orthogonal());
  return {};
}

bool fill_from(const Scope& scope, const Init& written, const StageNames& stages, Errors& errors,
               InitSpec& init) {
  const Place from = scope.place_of(Init::kFromFieldNumber);
  if (written.from().empty()) errors.add(from, "init: \"from\" names no stage");
  const auto stage = stages.find(written.from());
  if (stage == stages.end()) return false;  // told already
  init.stage = stage->second.arrays;
  init.from = written.from();
  if (stage->second.makes_pairs) errors.add(from, pairs_text(init.from), kNoArrays);
  return !stage->second.makes_pairs;
}

bool fill_distribution(const Scope& scope, const Init& written, Errors& errors, InitSpec& init) {
  init.distribution = distribution_of(written);
  if (written.has_array())
    errors.add(scope.place_of(Init::kArrayFieldNumber),
               "init: \"array\" is of a stage or file: got one of " + init.distribution.word,
               "as in: init { from: \"filters\" array: \"centres\" }");
  const bool is_empty = written.has_uniform() && written.uniform().low() >= written.uniform().high();
  if (is_empty)
    errors.add(scope.nested(Init::kUniformFieldNumber, 0).place,
               "init: uniform: got low " + value_text(written.uniform().low()) + " and high " +
                   value_text(written.uniform().high()) + ", wanted low < high");
  return !is_empty && !written.has_array();
}

std::string text_of(const InitialDistribution& one) {
  const auto number = [](double value) { return value_text(ConfigValue(value)); };
  if (one.word == "constant") return "constant { value: " + number(one.a) + " }";
  if (one.word == "uniform") return "uniform { low: " + number(one.a) + " high: " + number(one.b) + " }";
  if (one.word.ends_with("normal") && one.b > 0)
    return one.word + " { mean: " + number(one.a) + " deviation: " + number(one.b) + " }";
  const bool has_fan = one.word.starts_with("he_") || one.word.starts_with("lecun_");
  return one.word + " { gain: " + number(one.gain) +
         (has_fan ? std::string(" fan: ") + (one.by_fan_out ? "out" : "in") : "") + " }";
}

}  // namespace

bool fill_init(const Scope& scope, const job::Layer::Init& written, const StageNames& stages, Errors& errors,
               InitSpec& init) {
  if (const int count = count_written(written); count != 1) {
    errors.add(scope.place,
               "init says " + std::to_string(count) +
                   " things that a parameter begins with, "
                   "wanted one",
               kWanted);
    return false;
  }
  if (written.has_from()) return fill_from(scope, written, stages, errors, init);
  init.file = written.file();
  if (!written.has_file()) return fill_distribution(scope, written, errors, init);
  if (init.file.empty()) errors.add(scope.place_of(Init::kFileFieldNumber), "init: \"file\" names no file");
  return !init.file.empty();
}

std::string init_text(const InitSpec& init) {
  std::string text = "init { ";
  if (init.stage) text += "from: " + quoted_text(init.from);
  if (!init.file.empty()) text += "file: " + quoted_text(init.file);
  if (!init.distribution.word.empty()) text += text_of(init.distribution);
  if (!init.array.empty()) text += " array: " + quoted_text(init.array);
  return text + " parameter: " + quoted_text(init.parameter) + " }";
}

}  // namespace plait::inline pipeline
