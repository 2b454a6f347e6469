#include "cli/together.h"

#include <fmt/format.h>

#include <exception>
#include <new>

#include "cluster/open_transport.h"

namespace plait::inline cli {
namespace {

Result<int> without_throwing(const std::function<Result<int>()>& command) {
  try {
    return command();
  } catch (...) {
    return thrown_status();
  }
}

}  // namespace

Status thrown_status() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {Code::kIo, "the system has no more memory to give; `plait check FILE` tells what a job takes"};
  } catch (const std::exception& e) {
    return {Code::kPlugin, std::string("a library failed: ") + e.what()};
  } catch (...) {
    return {Code::kPlugin, "a library failed, and did not say why"};
  }
}

Result<int> run_together(Transport& transport, const std::function<Result<int>()>& command) {
  // Alone there is nobody to end, and main knows how to say it.
  if (transport.size() == 1) return command();
  const Result<int> result = without_throwing(command);
  if (!result)
    transport.abort(result.status(), result.status().code() == Code::kUsage ? kExitUsage : kExitJob);
  return result;
}

Status check_ranks(const Command& command) {
  if (command.ranks != Ranks::kNone || launcher_size() == 1) return {};
  const bool starts_runs = command.options.find_nothrow("launcher", false) != nullptr;
  return {Code::kUsage,
          fmt::format(
              "{}: got {} ranks, which would each do all of it; wanted it without mpirun{}", command.name,
              launcher_size(),
              starts_runs ? fmt::format(" (its runs: --launcher \"mpirun -n {}\")", launcher_size()) : "")};
}

}  // namespace plait::inline cli
