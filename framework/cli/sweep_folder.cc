#include "cli/sweep_folder.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_bounds.h"
#include "base/json_text.h"

namespace plait::inline cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRecipeName = "/sweep.json";

std::string value_text(const Json& of, const std::string& name) {
  if (!of.contains(name)) return "none";
  return of[name].is_object() ? "some" : json_text(of[name]);
}

// Words of the first entry that differs, for a person.
std::string difference(const Json& held, const Json& got) {
  for (const Json* side : {&got, &held}) {
    for (const auto& [name, value] : side->items()) {
      if (held.contains(name) && got.contains(name) && held[name] == got[name]) continue;
      const bool are_objects = value_text(held, name) == "some" && value_text(got, name) == "some";
      if (are_objects) return difference(held[name], got[name]);
      return fmt::format("{}: got {}, the folder has {}", name, value_text(got, name),
                         value_text(held, name));
    }
  }
  return "";
}

Status check_recipe(Files& files, const std::string& path, const Json& recipe, bool resume) {
  const bool is_begun = files.exists(path + kRecipeName);
  if (!is_begun && files.exists(path + "/table.csv"))
    return {Code::kInvalid, "sweep: \"" + path + "\" holds a sweep already; say another --sweep-dir"};
  if (!is_begun && resume) return {Code::kNotFound, "sweep: \"" + path + "\" holds no sweep to go on with"};
  if (!is_begun) return files.write_atomically(path + kRecipeName, json_text(recipe, 2) + "\n");
  if (!resume)
    return {Code::kInvalid,
            "sweep: \"" + path + "\" holds a sweep already; say another --sweep-dir, or --resume to go on"};
  PLAIT_ASSIGN(const std::string text, files.read(path + kRecipeName));
  PLAIT_TRY(check_json_bounds(text).at(path + kRecipeName));
  const Json held = parse_json<Json>(text);
  if (!held.is_object()) return {Code::kCorrupt, path + kRecipeName + ": is no recipe of a sweep"};
  const std::string other = difference(held, recipe);
  return other.empty() ? Status()
                       : Status(Code::kInvalid, "sweep: \"" + path + "\" holds another sweep: " + other);
}

}  // namespace

Result<SweepFolder> SweepFolder::open(Files& files, const std::string& path, const Json& recipe, bool resume,
                                      const std::string& holder) {
  if (resume && !files.exists(path))
    return {Code::kNotFound, "sweep: \"" + path + "\" is not there: nothing to go on with"};
  PLAIT_TRY(files.make_directories(path));
  auto lock = files.lock(path + "/lock", holder);
  if (!lock && lock.status().code() == Code::kPeer)
    return {Code::kPeer, "sweep: another sweep works in \"" + path + "\": " + lock.status().message()};
  if (!lock && lock.status().code() != Code::kUnsupported) return lock.status();
  SweepFolder folder(path, lock ? std::move(lock).value() : nullptr);
  if (!lock)
    folder.warning_ = lock.status().message() + "; see to it that no other sweep writes into " + path;
  PLAIT_TRY(check_recipe(files, path, recipe, resume));
  return folder;
}

}  // namespace plait::inline cli
