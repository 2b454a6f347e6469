#include "train/instruction_set.h"

#include <gnu/libc-version.h>
#include <unistd.h>
#include <plait/simd.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace plait::inline train {
namespace {

constexpr const char* kFlags[] = {"sse4_1",   "sse4_2",   "avx",           "avx2",        "fma",
                                  "f16c",     "avx_vnni", "avx_vnni_int8", "avx512f",     "avx512dq",
                                  "avx512bw", "avx512vl", "avx512_vnni",   "avx512_bf16", "avx512_fp16",
                                  "amx_tile", "amx_bf16", "amx_int8",      "amx_fp16",    "asimd",
                                  "sve",      "sve2",     "bf16"};

// The words of ONEDNN_MAX_CPU_ISA in their order, with a flag that only processors of that level have.
struct Level {
  const char* word;
  const char* flag;
};
constexpr Level kLevels[] = {{"SSE41", "sse4_1"},
                             {"AVX", "avx"},
                             {"AVX2", "avx2"},
                             {"AVX2_VNNI", "avx_vnni"},
                             {"AVX2_VNNI_2", "avx_vnni_int8"},
                             {"AVX512_CORE", "avx512bw"},
                             {"AVX512_CORE_VNNI", "avx512_vnni"},
                             {"AVX512_CORE_BF16", "avx512_bf16"},
                             {"AVX512_CORE_FP16", "avx512_fp16"},
                             {"AVX512_CORE_AMX", "amx_tile"},
                             {"AVX512_CORE_AMX_FP16", "amx_fp16"}};

// Caps the sets of Plait's own kernels and of oneDNN, in words of the latter. What PLAIT_FAST compiles goes
// by the processor nevertheless, so a capped run is not one of a lesser processor: the variable is a fact of
// its own.
constexpr const char* kMostVariable = "PLAIT_MAX_CPU_ISA";
constexpr const char* kMostWords[] = {"SSE41", "AVX2", "AVX512_CORE"};

// Of libraries that plugins may call.
constexpr const char* kPrefixes[] = {"ONEDNN_",     "DNNL_",          "MKL_",       "OPENBLAS_",
                                     "BLIS_",       "GOTO_",          "CUBLAS_",    "CUDNN_",
                                     "NVIDIA_TF32", "GLIBC_TUNABLES", kMostVariable};
// Talk, time and memory.
constexpr const char* kHarmless[] = {"_VERBOSE", "_PROFILE", "_JIT_DUMP", "_CACHE_CAPACITY",
                                     "_LOGINFO", "_LOGDEST", "_LOGERR"};

bool is_of_numbers(const std::string& name) {
  for (const char* harmless : kHarmless)
    if (name.find(harmless) != std::string::npos) return false;
  return std::ranges::any_of(kPrefixes, [&](const char* prefix) { return name.starts_with(prefix); });
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// Whether the processor has a level above the one that the word allows at most. A word that is not known may
// do anything.
bool caps(const std::string& word, const std::vector<std::string>& flags) {
  if (word.empty() || word == "ALL" || word == "DEFAULT") return false;
  const auto* at = std::ranges::find(kLevels, word, &Level::word);
  if (at == std::end(kLevels)) return true;
  return std::any_of(at + 1, std::end(kLevels),
                     [&](const Level& level) { return std::ranges::find(flags, level.flag) != flags.end(); });
}

// The same choices that the kernels make (sdk/plait/simd.hpp; without a cap also sdk/plait/sdk/fast.hpp).
std::string kernels_level() {
#if defined(__x86_64__)
  const sdk::Simd best = sdk::best_simd();
  return best == sdk::Simd::kAvx512 ? "x86-64-v4 (AVX-512)"
         : best == sdk::Simd::kAvx2 ? "x86-64-v3 (AVX2)"
                                    : "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "portable";
#endif
}

std::string best_of(const std::vector<std::string>& flags) {
  return flags.empty() ? "which the system does not say what it has" : flags.back();
}

}  // namespace

std::vector<std::string> processor_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    std::istringstream words(line.substr(std::min(line.find(':'), line.size() - 1) + 1));
    std::vector<std::string> listed, known;
    for (std::string word; words >> word;) listed.push_back(word);
    for (const char* flag : kFlags)
      if (std::ranges::find(listed, flag) != listed.end()) known.emplace_back(flag);
    return known;
  }
  return {};
}

Environment process_environment() {
  Environment all;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    all.emplace_back(*variable);
  return all;
}

// oneDNN reads ONEDNN_X before DNNL_X, which is the same variable's older name.
Identity settings_facts(const Environment& environment, const std::vector<std::string>& flags) {
  std::map<std::string, std::string> settings;
  for (const bool older : {true, false}) {
    for (const std::string& variable : environment) {
      const size_t equals = std::min(variable.find('='), variable.size());
      const std::string name = variable.substr(0, equals);
      if (equals == variable.size() || !is_of_numbers(name) || name.starts_with("DNNL_") != older) continue;
      const std::string value = variable.substr(equals + 1);
      if (name == "GLIBC_TUNABLES" && value.find("glibc.cpu.") == std::string::npos) continue;
      const bool is_onednn = older || name.starts_with("ONEDNN_");
      const bool is_word = is_onednn || name == kMostVariable;
      settings[older ? "ONEDNN_" + name.substr(5) : name] = is_word ? upper(value) : value;
    }
  }
  for (const char* name : {"ONEDNN_MAX_CPU_ISA", kMostVariable}) {
    const auto most = settings.find(name);
    if (most != settings.end() && !caps(most->second, flags)) settings.erase(most);
  }
  Identity facts;
  for (const auto& [name, value] : settings)
    facts.push_back(make_fact(part::kIsa, "environment " + name, "\"" + value + "\""));
  return facts;
}

Status cap_instruction_set() {
  const char* const most = std::getenv(kMostVariable);
  if (most == nullptr || *most == 0) return Status::ok();
  const std::string word = upper(most);
  if (std::ranges::find(kMostWords, word) == std::end(kMostWords))
    return Status(Code::kUsage, std::string("the environment's ") + kMostVariable + " is \"" + most +
                                    "\"; wanted SSE41, AVX2 or AVX512_CORE");
  setenv(kMostVariable, word.c_str(), 1);
  setenv("ONEDNN_MAX_CPU_ISA", word.c_str(), 0);
  return Status::ok();
}

Status check_bf16(const Environment& environment, const std::vector<std::string>& flags) {
  const auto has = [&](const char* flag) { return std::ranges::find(flags, flag) != flags.end(); };
  if (!has("avx512_bf16") && !has("amx_bf16"))
    return {Code::kUnsupported,
            "precision: bf16 wants a processor with avx512_bf16 or amx_bf16, got one of " + best_of(flags)};
  std::string most;
  for (const char* name : {"DNNL_MAX_CPU_ISA=", "ONEDNN_MAX_CPU_ISA="})  // the later one wins
    for (const std::string& variable : environment)
      if (variable.starts_with(name)) most = upper(variable.substr(std::string_view(name).size()));
  const auto* level = std::ranges::find(kLevels, most, &Level::word);
  const auto* least = std::ranges::find(kLevels, std::string_view("AVX512_CORE_BF16"), &Level::word);
  if (level >= least) return {};  // or a word that is none of them
  return {Code::kUnsupported,
          "precision: bf16 wants avx512_bf16 or amx_bf16, got ONEDNN_MAX_CPU_ISA=" + most};
}

Identity machine_facts() {
  Identity facts = {make_fact(part::kIsa, "instruction set", kernels_level()),
                    make_fact(part::kIsa, "C library", std::string("glibc ") + gnu_get_libc_version())};
  for (Fact& fact : settings_facts(process_environment(), processor_flags()))
    facts.push_back(std::move(fact));
  return facts;
}

}  // namespace plait::inline train
