// Laws about what a plugin gets back from files and from the host: packed parameters of any bits, a damaged
// data set, a sum over the data of the wrong size, a network like no other.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "graph/float_state.h"
#include "verify/benches/augmenter_bench.h"
#include "verify/benches/layer_run.h"
#include "verify/benches/pretrainer_bench.h"
#include "verify/benches/source_bench.h"

namespace plait::inline verify {
namespace {

namespace fs = std::filesystem;

// ---------------------------------------------------------------- layers: packed parameters

Status check_bits(const LayerBench& bench, size_t i, Dice& dice) {
  const ParameterInfo& info = bench.layer().shapes.parameters[i];
  Guarded plain(info.elements * 4, Poison::kNan), back(info.elements * 4, Poison::kNumber);
  Guarded stored(bench.stored_elements(i) * 4, Poison::kNan);
  for (uint64_t k = 0; k < info.elements; ++k) plain.as<uint32_t>()[k] = static_cast<uint32_t>(dice.bits());
  CallContext context;
  const auto index = static_cast<uint32_t>(i);
  const auto unpack = [&] {
    return context.call([&] {
      return bench.ops().unpack(bench.self(), context.raw(), index, stored.as<float>(), back.as<float>());
    });
  };
  PLAIT_TRY(context
                .call([&] {
                  return bench.ops().pack(bench.self(), context.raw(), index, plain.as<float>(),
                                          stored.as<float>());
                })
                .at("pack"));
  PLAIT_TRY(unpack().at("unpack"));
  for (uint64_t k = 0; k < info.elements; ++k)
    if (plain.as<uint32_t>()[k] != back.as<uint32_t>()[k])
      return broken(fmt::format("\"{}\": unpack(pack(x)) changes the bits {:#010x} of element {} to {:#010x}",
                                info.name, plain.as<uint32_t>()[k], k, back.as<uint32_t>()[k]));
  // Padding too: what a file held there is not for unpack to trust.
  for (uint64_t k = 0; k < stored.bytes() / 4; ++k)
    stored.as<uint32_t>()[k] = static_cast<uint32_t>(dice.bits());
  PLAIT_TRY(unpack().at("unpack of random bits"));
  if (const auto text = back.overrun(); !text.empty())
    return broken(
        fmt::format("unpack of random bits of \"{}\" writes outside its memory: {}", info.name, text));
  return {};
}

Status packs_any_bits(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 12));
  FloatState state;
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    if (!bench->packs()) return skipped("parameters are in plain order");
    trial.doing("pack and unpack of random bits, " + made.text());
    for (size_t i = 0; i < made.shapes.parameters.size(); ++i)
      PLAIT_TRY(check_bits(*bench, i, trial.dice()).at(made.text()));
  }
  return {};
}

// ---------------------------------------------------------------- sources: damaged files

constexpr uint64_t kLargestFile = 1 << 20;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// The files that the hints wrote into the working folder.
std::vector<fs::path> hinted_files() {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::recursive_directory_iterator(".", fs::directory_options::skip_permission_denied))
    if (entry.is_regular_file() && entry.file_size() <= kLargestFile) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

struct Damage {
  std::string what;
  std::string bytes;
};

std::vector<Damage> damages(const std::string& whole, Dice& dice) {
  std::vector<Damage> all = {{"is empty", ""},
                             {"lacks its last byte", whole.substr(0, whole.size() - !whole.empty())},
                             {"has 17 bytes more", whole + std::string(17, '\x7f')}};
  for (uint64_t size : {uint64_t{1}, uint64_t{4}, uint64_t{9}, uint64_t{whole.size() / 2}})
    all.push_back({fmt::format("is cut to {} bytes", size), whole.substr(0, size)});
  for (int round = 0; round < 24; ++round) {
    std::string bytes = whole;
    // Headers are where lies are worst.
    const uint64_t within = round % 2 == 0 ? std::min<uint64_t>(bytes.size(), 32) : bytes.size();
    const uint64_t count = within == 0 ? 0 : 1 + dice.below(round < 12 ? 1 : 8);
    for (uint64_t i = 0; i < count; ++i) bytes[dice.below(within)] = static_cast<char>(dice.bits());
    all.push_back({fmt::format("has {} other bytes", count), std::move(bytes)});
  }
  std::string random(whole.size(), '\0');
  for (char& byte : random) byte = static_cast<char>(dice.bits());
  all.push_back({"is random", std::move(random)});
  return all;
}

// Opens, and reads where it opens. Failures in words are as good as success.
Status try_source(Trial& trial, const Example& one) {
  CallContext context;
  auto opened =
      create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
  if (!opened) return is_silent(opened.status()) ? broken("open fails without saying why") : Status();
  PLAIT_ASSIGN(const SourceDescription described, describe_source(*opened, context, kMostRecordsTried));
  const int64_t count = std::min<int64_t>(described.records, 12);
  for (int64_t n = 0; n < count; ++n) {
    const int64_t index = count > 1 ? n * (described.records - 1) / (count - 1) : 0;
    SourceRecord record(described, Poison::kNan);
    const Status status = record.read(*opened, index);
    if (!status && is_silent(status))
      return broken(fmt::format("read of record {} fails without saying why", index));
    if (const auto text = record.overrun(); !text.empty())
      return broken(fmt::format("record {}: writes outside its memory: {}", index, text));
  }
  return {};
}

Status check_missing(Trial& trial, const Example& one, const fs::path& file) {
  CallContext context;
  const auto opened =
      create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
  if (opened) return {};  // this configuration does not read it
  const std::string name = file.filename().string();
  return opened.status().message().find(name) != std::string::npos
             ? Status()
             : broken(fmt::format("\"{}\" is not there, but the message does not name it: \"{}\"", name,
                                  opened.status().message()));
}

Status check_file(Trial& trial, const Example& one, const fs::path& file) {
  const std::string name = file.filename().string(), whole = read_file(file);
  Status status;
  for (const Damage& damage : damages(whole, trial.dice())) {
    write_file(file, damage.bytes);
    const std::string what = fmt::format("\"{}\" {}", name, damage.what);
    trial.doing("open and read where " + what + ", " + config_text(*one.config));
    status = try_source(trial, one).at(what);
    if (!status) break;
  }
  fs::remove(file);
  trial.doing("open where \"" + name + "\" is not there, " + config_text(*one.config));
  if (status) status = check_missing(trial, one, file);
  write_file(file, whole);
  return status;
}

Status damaged_files(Trial& trial) {
  PLAIT_ASSIGN(const auto examples, trial.examples());
  if (examples.empty()) return skipped("gives no example that could be damaged");
  const auto files = hinted_files();
  if (files.empty()) return skipped("its examples read no files that they wrote");
  for (const Example& one : examples)
    for (const fs::path& file : files) PLAIT_TRY(check_file(trial, one, file).at(config_text(*one.config)));
  trial.remark(fmt::format("{} files", files.size()));
  return {};
}

// ---------------------------------------------------------------- augmenters: the sum of a pass over the
// data

// Every bit pattern, fewer or more numbers than it asked for, and none.
Status check_fit(Trial& trial, const Example& one, const Parts& parts, const std::vector<double>* state,
                 const std::string& what) {
  CallContext context;
  const plait_fit fitted{sizeof fitted, state != nullptr ? static_cast<uint32_t>(state->size()) : 0,
                         state != nullptr ? state->data() : nullptr};
  if (state != nullptr) context.set_fit(&fitted);
  trial.doing(fmt::format("create and apply, the sum over the data {}, {}", what, config_text(*one.config)));
  PLAIT_ASSIGN(const Parts out, infer_augmenter(trial.entry(), *one.config, parts, context));
  const auto made = create_augmenter(trial.registry(), trial.entry(), *one.config, parts, context);
  if (!made) return is_silent(made.status()) ? broken("create fails without saying why") : Status();
  const auto* ops = made->ops<plait_augmenter_ops>();
  PLAIT_ASSIGN(const uint64_t workspace, augmenter_workspace(*made, 0));
  AugmenterSample first(parts, out, Dice(1, "fit"), Poison::kNan, 2, workspace),
      again(parts, out, Dice(1, "fit"), Poison::kNan, 2, workspace);
  for (AugmenterSample* sample : {&first, &again}) {
    const plait_sample_call call = sample->call(3);
    const Status status = context.call([&] { return ops->apply(made->self(), context.raw(), &call); });
    if (!status && is_silent(status)) return broken("apply fails without saying why");
    PLAIT_TRY(sample->check_memory());
  }
  const auto difference = first.difference(again);
  return difference.empty() ? Status() : broken(difference + " differs when the sample comes again");
}

Status check_fits(Trial& trial, const Example& one, const Parts& parts, const std::vector<double>& good) {
  std::vector<double> state = good;
  for (int round = 0; round < 6; ++round) {
    for (double& number : state) {
      const uint64_t bits = round == 1 ? 0x7FF8000000000000u : round == 2 ? 0 : trial.dice().bits();
      std::memcpy(&number, &bits, sizeof number);
    }
    PLAIT_TRY(check_fit(trial, one, parts, &state,
                        round == 1   ? "is NaN"
                        : round == 2 ? "is zeros"
                                     : "is random bits"));
  }
  for (const size_t size : {good.size() + 3, good.size() - 1, size_t{0}}) {
    // Exactly as many numbers as are told: a heap checker sees what is read after them.
    const std::vector<double> other(size, 1.0);
    PLAIT_TRY(
        check_fit(trial, one, parts, &other, fmt::format("has {} numbers, wanted {}", size, good.size()))
            .at(fmt::format("{} numbers instead of {}", size, good.size())));
  }
  return check_fit(trial, one, parts, nullptr, "is missing").at("without the sum over the data");
}

Status fit_state(Trial& trial) {
  const auto& ops = trial.ops<plait_augmenter_ops>();
  if (!wants_fit(ops)) return skipped("wants no pass over the data");
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  int tried = 0;
  for (const Example& one : configs) {
    for (const Parts& parts : parts_for(one)) {
      if (!make_augmenter_bench(trial, one, parts)) continue;
      PLAIT_ASSIGN(const auto state, fit_augmenter(ops, *one.config, parts, 0, 4));
      PLAIT_TRY(check_fits(trial, one, parts, state).at(config_text(*one.config)));
      ++tried;
    }
  }
  return tried > 0 ? Status() : skipped("no parts found that the augmenter accepts");
}

// ---------------------------------------------------------------- pretrainers: a network like no other

Status check_stage(Trial& trial, const Instance& pretrainer, const plait_pretrain_request& request,
                   const std::string& what) {
  trial.doing(fmt::format("next_stage where {}, {}", what, config_text(pretrainer.config())));
  const plait_stage_builder builder = no_stage_builder();
  CallContext context;
  context.set_extension(PLAIT_EXTENSION_PRETRAIN_TASK, no_stage_tasks());
  const Status status = context.call([&] {
    return pretrainer.ops<plait_pretrainer_ops>()->next_stage(pretrainer.self(), context.raw(), &request,
                                                              &builder);
  });
  return status || !is_silent(status) ? Status()
                                      : broken(fmt::format("fails without saying why where {}", what));
}

Status strange_network(Trial& trial) {
  PLAIT_ASSIGN(const ToyNetwork* toy, toy_network(trial));
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  int tried = 0;
  for (const Example& one : configs) {
    CallContext context;
    const auto made =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!made) continue;
    ++tried;
    for (const uint32_t stage : {1000u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
      const PretrainRequest late(toy->network, stage, 100);
      PLAIT_TRY(check_stage(trial, *made, *late.raw(), fmt::format("stage {} is asked for", stage)));
    }
    static const std::string kLong(20000, 'x');
    for (const char* name : {"", "layer { name: \"", "}}}}", "\xff\xfe{", kLong.c_str()}) {
      PretrainRequest named(toy->network, 0, 100);
      for (plait_network_layer& layer : named.layers()) layer.name = name;
      PLAIT_TRY(check_stage(trial, *made, *named.raw(), fmt::format("layers are called \"{:.20}\"", name)));
    }
    PretrainRequest bare(toy->network, 0, 100);
    for (plait_network_layer& layer : bare.layers())
      layer.n_inputs = layer.n_parameters = 0, layer.inputs = nullptr, layer.mirror = nullptr;
    PLAIT_TRY(check_stage(trial, *made, *bare.raw(), "layers have neither inputs nor parameters"));
  }
  return tried > 0 ? Status() : skipped("create refuses what can be guessed");
}

}  // namespace

std::vector<Law> damage_laws() {
  constexpr Severity kMust = Severity::kMust;
  return {
      {"layer", "packing_bits", kMust, "unpack(pack(x)) has the bits of x, whatever they are",
       packs_any_bits},
      {"source", "damaged_files", kMust,
       "a file that is cut, altered, random or missing is refused in words, or read within its bounds",
       damaged_files},
      {"augmenter", "fit_state", kMust,
       "a sum over the data that is random, missing or of the wrong size ends cleanly", fit_state},
      {"pretrainer", "strange_network", kMust, "any network and stage number ends cleanly", strange_network},
  };
}

}  // namespace plait::inline verify
