// Laws of the file as a whole. None of them finds it loaded.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <regex>

#include "base/library.h"
#include "registry/check.h"
#include "registry/note.h"
#include "verify/engine/elf_exports.h"
#include "verify/verify.h"

namespace plait::inline verify {
namespace {

// The one exported function, found.
struct Entry {
  plait_plugin_v1_fn function;
  const plait_plugin* operator()(const plait_host* host) const { return function(host); }
};

Result<Entry> open_entry(Trial& trial) {
  trial.doing("loading " + trial.file());
  PLAIT_ASSIGN(const Library library, Library::open(trial.file()));
  const auto function = reinterpret_cast<plait_plugin_v1_fn>(library.symbol(PLAIT_PLUGIN_SYMBOL));
  if (function == nullptr) return {Code::kInvalid, "does not export " PLAIT_PLUGIN_SYMBOL};
  return Entry{function};
}

Status loads(Trial& trial) {
  trial.doing("loading " + trial.file());
  auto registry = Registry::load({{trial.file()}, {}});
  return registry.status();
}

Status exports(Trial& trial) {
  PLAIT_ASSIGN(const ElfSymbols symbols, read_elf_symbols(trial.file()));
  std::string others;
  size_t count = 0;
  for (const std::string& name : symbols.exported) {
    if (name == PLAIT_PLUGIN_SYMBOL) continue;
    if (++count <= 5) others += (others.empty() ? "" : ", ") + name;
  }
  if (count == 0) return {};
  return broken(fmt::format("exports {} symbols besides " PLAIT_PLUGIN_SYMBOL ": {}{}", count, others,
                            count > 5 ? ", ..." : ""));
}

Status libraries(Trial& trial) {
  static const std::regex kOfHost("^lib(protobuf|mpi|tbb|boost)");
  PLAIT_ASSIGN(const ElfSymbols symbols, read_elf_symbols(trial.file()));
  for (const std::string& name : symbols.libraries)
    if (std::regex_search(name, kOfHost)) return broken("links " + name + ", of which the host has its own");
  return {};
}

Status load_time(Trial& trial) {
  const auto begin = std::chrono::steady_clock::now();
  PLAIT_ASSIGN(const Entry entry, open_entry(trial));
  entry(&host_table());
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  trial.remark(fmt::format("{:.1f} ms", ms));
  return {};
}

size_t threads_now() {
  size_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/task", error), end; !error && entry != end;
       entry.increment(error))
    ++count;
  return count;
}

Status starts_nothing(Trial& trial) {
  const size_t before = threads_now();
  PLAIT_ASSIGN(const Entry entry, open_entry(trial));
  entry(&host_table());
  const size_t after = threads_now();
  return after <= before ? Status()
                         : broken(fmt::format("starts {} threads while it is loaded", after - before));
}

// A host that knows less: its table ends before `size`. NULL, a refusal in words, is an answer too.
Status call_with_host(Trial& trial, uint32_t size, const char* what) {
  PLAIT_ASSIGN(const Entry entry, open_entry(trial));
  static plait_host host;  // static, as the border says
  std::memset(static_cast<void*>(&host), 0, sizeof host);
  std::memcpy(static_cast<void*>(&host), &host_table(), std::min<size_t>(size, sizeof host));
  host.struct_size = size;
  trial.doing(std::string("calling " PLAIT_PLUGIN_SYMBOL " with the table of ") + what);
  const plait_plugin* plugin = entry(&host);
  if (plugin == nullptr) return trial.remark("refuses it"), Status();
  return check_tables(*plugin);
}

Status older_host(Trial& trial) {
  return call_with_host(trial, offsetof(plait_host, get_extension), "an older host");
}
Status newer_host(Trial& trial) { return call_with_host(trial, sizeof(plait_host) + 256, "a newer host"); }

Status unknown_extension(Trial& trial) {
  PLAIT_ASSIGN(const Entry entry, open_entry(trial));
  const plait_plugin* plugin = entry(&host_table());
  if (plugin == nullptr) return broken("refuses this host");
  if (!PLAIT_HAS(plugin, get_extension)) return skipped("offers no extensions");
  for (const char* name : {"plait.no_such_extension/1", "", "plait.verify/1x"}) {
    trial.doing(fmt::format("get_extension(\"{}\")", name));
    if (plugin->get_extension(name) != nullptr)
      return broken(fmt::format("answers get_extension(\"{}\"), which does not exist", name));
  }
  return {};
}

Status same_table(Trial& trial) {
  PLAIT_ASSIGN(const Entry entry, open_entry(trial));
  trial.doing("calling " PLAIT_PLUGIN_SYMBOL);
  const plait_plugin* plugin = entry(&host_table());
  if (plugin == nullptr) return broken("refuses this host");
  PLAIT_TRY(check_version(*plugin));
  return check_tables(*plugin);
}

bool is_text(const char* text) { return text != nullptr && *text != '\0'; }

Status documented(Trial& trial) {
  PLAIT_ASSIGN(const Entry entry, open_entry(trial));
  const plait_plugin* plugin = entry(&host_table());
  if (plugin == nullptr) return broken("refuses this host");
  if (!is_text(plugin->license)) return broken("says no license");
  for (uint32_t i = 0; i < plugin->n_types; ++i) {
    const plait_type& type = *plugin->types[i];
    for (uint32_t k = 0; k < type.n_fields; ++k) {
      const plait_field& field = *type.fields[k];
      const bool number = field.kind == PLAIT_FIELD_I64;
      if (number && std::isinf(field.low) && std::isinf(field.high))
        return broken(fmt::format("{}: field \"{}\" has no range", type.id, field.name));
    }
  }
  return {};
}

std::string types_text(const plait_plugin& plugin) {
  std::string text;
  for (uint32_t i = 0; i < plugin.n_types; ++i) text += fmt::format(" {}", plugin.types[i]->id);
  return text.empty() ? " none" : text;
}

bool has_type(const plait_plugin& plugin, const PluginNote::Type& noted) {
  for (uint32_t i = 0; i < plugin.n_types; ++i)
    if (plugin.types[i]->id == noted.id && plugin.types[i]->kind == noted.kind) return true;
  return false;
}

bool has_implementation(const plait_plugin& plugin, const PluginNote::Implementation& noted) {
  for (uint32_t i = 0; i < plugin.n_implementations; ++i) {
    const plait_implementation* made = plugin.implementations[i];
    const bool is_kind = noted.kind.empty() || !PLAIT_HAS(made, kind) || made->kind == noted.kind;
    if (is_kind && made->type_id == noted.type_id && made->device_id == noted.device_id) return true;
  }
  return false;
}

Status check_noted_versions(const PluginNote& note, const plait_plugin& plugin) {
  const auto versions = [](uint32_t minor, uint32_t draft, uint32_t needs) {
    return fmt::format("minor {}, draft {}, needs {}", minor, draft, needs);
  };
  const std::string noted = versions(note.abi_minor, note.abi_draft, note.min_host_minor),
                    known = versions(plugin.abi_minor, plugin.abi_draft, plugin.min_host_minor);
  if (noted != known) return broken(fmt::format("the note says {}; the table {}", noted, known));
  if (note.id.empty() || (note.id == plugin.id && note.version == plugin.version)) return {};
  return broken(
      fmt::format("the note says {} {}, the table {} {}", note.id, note.version, plugin.id, plugin.version));
}

Status check_noted_types(const PluginNote& note, const plait_plugin& plugin) {
  for (const PluginNote::Type& type : note.types)
    if (!has_type(plugin, type))
      return broken(
          fmt::format("the note names {} {}, the tables have{}", type.kind, type.id, types_text(plugin)));
  for (const PluginNote::Implementation& made : note.implementations)
    if (!has_implementation(plugin, made))
      return broken(fmt::format("the note names {}{}{} on {}, which is not implemented", made.kind,
                                made.kind.empty() ? "" : " ", made.type_id, made.device_id));
  if (!note.complete || note.types.size() == plugin.n_types) return {};
  return broken(fmt::format("the note names {} types and no more, the tables have{}", note.types.size(),
                            types_text(plugin)));
}

Status note_agrees(Trial& trial) {
  const auto file = ElfFile::read(trial.file());
  if (!file) return file.status();
  const std::optional<PluginNote> note = note_of(*file);
  if (!note) return skipped("has no note (see <plait/note.h>)");
  PLAIT_ASSIGN(const Entry entry, open_entry(trial));
  const plait_plugin* plugin = entry(&host_table());
  if (plugin == nullptr) return broken("refuses this host");
  PLAIT_TRY(check_noted_versions(*note, *plugin));
  return check_noted_types(*note, *plugin);
}

}  // namespace

std::vector<Law> library_laws() {
  constexpr const char* kKind = "library";
  constexpr Severity kMust = Severity::kMust, kShould = Severity::kShould;
  return {
      {kKind, "loads", kMust, "loads with every symbol resolved, and its tables are complete", loads},
      {kKind, "exports", kMust, "exports plait_plugin_v1 and nothing else", exports},
      {kKind, "libraries", kMust, "links nothing of which the host has its own", libraries},
      {kKind, "table", kMust, "answers with one complete table of this version", same_table},
      {kKind, "older_host", kMust, "reads no more of the host's table than there is", older_host},
      {kKind, "newer_host", kMust, "a host that knows more is as good", newer_host},
      {kKind, "unknown_extension", kMust, "extensions that do not exist are NULL", unknown_extension},
      {kKind, "starts_nothing", kMust, "loading starts no threads", starts_nothing},
      {kKind, "load_time", Severity::kPerformance, "tells how long loading takes: 100 ms is much", load_time},
      {kKind, "documented", kShould, "says its license, and ranges of integers", documented},
      {kKind, "note", kMust, "the ELF note, if there is one, says what the tables say", note_agrees},
  };
}

const Law& loading_law() {
  static const Law law = library_laws().front();
  return law;
}

}  // namespace plait::inline verify
