// `plait augment`: shows what a job's augmenters make of its samples.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/files.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/overwrite.h"
#include "cli/session.h"
#include "mapreduce/sink.h"
#include "report/output.h"
#include "train/augment_samples.h"
#include "train/sink_for_file.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// RECORD,EPOCH
Status read_replay(const po::variables_map& given, AugmentOptions& options) {
  const auto& text = given["replay"].as<std::string>();
  const size_t comma = text.find(',');
  int64_t record = 0;
  if (comma == std::string::npos || !read_number(std::string_view(text).substr(0, comma), record) ||
      !read_number(std::string_view(text).substr(comma + 1), options.epoch))
    return {Code::kUsage, "--replay: got \"" + text + "\", wanted RECORD,EPOCH, such as 17,0"};
  if (!given["samples"].defaulted() || !given["epoch"].defaulted())
    return {Code::kUsage, "augment: --replay says record and epoch; --samples and --epoch say others"};
  options.record = record;
  return {};
}

Result<AugmentOptions> options_of(const po::variables_map& given) {
  AugmentOptions options;
  options.samples = given["samples"].as<int64_t>();
  options.epoch = static_cast<uint64_t>(given["epoch"].as<int64_t>());
  options.part = given["part"].as<std::string>();
  options.scale = given["scale"].as<int>();
  options.draws = given.count("out") > 0;
  if (given.count("replay")) PLAIT_TRY(read_replay(given, options));
  if (!options.draws &&
      (!options.part.empty() || !given["sink"].as<std::string>().empty() || options.scale > 0))
    return Status(Code::kUsage, "augment: --part, --scale and --sink are of a drawing; --out is missing");
  return options;
}

std::string text_of(const AugmentedSamples& shown) {
  std::string text;
  for (size_t i = 0; i < shown.steps.size(); ++i) {
    const AugmentStep& step = shown.steps[i];
    text += fmt::format("{:>3}  {}: {}{}\n", i, step.place, step.parts,
                        step.works_on_batches ? "; works on whole batches, shown is a sample alone" : "");
  }
  for (const AugmentedSample& sample : shown.samples) {
    text += fmt::format("record {}, epoch {}, place {}", sample.record, sample.epoch, sample.place);
    if (!sample.told[0].empty()) text += ": " + sample.told[0];
    std::string changes;
    for (size_t i = 1; i < sample.told.size(); ++i)
      if (!sample.told[i].empty())
        changes += fmt::format("{}{} changed {}", changes.empty() ? "" : "; ", i, sample.told[i]);
    text += "\n     " + (changes.empty() ? "nothing changed" : changes) + "\n";
  }
  return text;
}

class Drawing {
 public:
  static Result<Drawing> open(const Registry& registry, const po::variables_map& given) {
    Drawing made(given["out"].as<std::string>());
    PLAIT_ASSIGN(const PluginSpec spec, sink_for_file(registry, made.file_, given["sink"].as<std::string>()));
    PLAIT_ASSIGN(made.sink_, Sink::create(registry, spec));
    return made;
  }
  Status write(const AugmentedSamples& shown) const {
    const PictureGrid& grid = *shown.grid;
    const std::vector<SinkArraySpec> specs = {
        {{shown.drawn, PLAIT_U8, {grid.height(), grid.width(), grid.channels()}}, {}}};
    SystemFiles files;
    PLAIT_TRY(sink_->check(specs).at("--out " + file_));
    return files.write_pieces_atomically(file_, [&](const Files::Writer& write) {
      return sink_->write(specs, {grid.pixels().data()}, write);
    });
  }

 private:
  explicit Drawing(std::string file) : file_(std::move(file)) {}
  std::string file_;
  std::unique_ptr<Sink> sink_;
};

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "augment: wanted a pipeline file"};
  const auto& file = given["file"].as<std::string>();
  PLAIT_ASSIGN(const AugmentOptions options, options_of(given));
  PLAIT_ASSIGN(const Session session, load_session(given, file));
  std::optional<Drawing> drawing;
  if (options.draws) {
    const auto& out = given["out"].as<std::string>();
    PLAIT_ASSIGN(const JobOptions changes, job_options_of(given));
    PLAIT_TRY(check_overwrite("--out", out, files_of_pipeline(file, changes.vars)));
    PLAIT_TRY(check_overwrite("--out", out, files_of_options(given)));
    PLAIT_TRY(check_overwrite("--out", out, files_of_job(session.job)));
    PLAIT_ASSIGN(drawing, Drawing::open(*session.registry, given));
  }
  PLAIT_ASSIGN(const AugmentedSamples shown, augment_samples(*session.registry, session.job, options));
  if (drawing) PLAIT_TRY(drawing->write(shown));
  print(text_of(shown));
  if (drawing)
    print(fmt::format("{} written: a row for each sample, a column for each step, part \"{}\"\n",
                      given["out"].as<std::string>(), shown.drawn));
  return kExitOk;
}

}  // namespace

Command augment_command() {
  Command command{"augment", "FILE [--out X]", "show what augmenters make of samples", {}, {"file"}, run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file")(
      "samples", whole_number(int64_t{1}, int64_t{1} << 20)->default_value(8)->value_name("N"),
      "the first so many that the epoch has")(
      "epoch", whole_number(int64_t{0}, kMostSteps)->default_value(0)->value_name("E"),
      "of which epoch, from 0: each draws other random numbers")(
      "replay", po::value<std::string>()->value_name("RECORD,EPOCH"),
      "one record of the source as it is in an epoch, in place of --samples and --epoch")(
      "out", po::value<std::string>()->value_name("X"),
      "a picture to write, .png or another ending that a sink of pictures has: a row for each sample, a "
      "column "
      "for the source and each augmenter")("part",
                                           po::value<std::string>()->default_value("")->value_name("PART"),
                                           "the part that is drawn; default: the first that is a picture")(
      "scale", whole_number(0, 64)->default_value(0)->value_name("N"),
      "pixels of the drawing along each edge of a picture's; 0: it chooses")(
      "sink", po::value<std::string>()->default_value("")->value_name("TYPE"),
      "the sink that writes it; default: the one that --out's ending means");
  command.options.add(job_options());
  return command;
}

}  // namespace plait::inline cli
