#include "cluster/open_transport.h"

#include <unistd.h>

#include <cstdlib>

#include "base/library.h"
#include "cluster/local_transport.h"
#include "cluster/mpi_module.h"

namespace plait::inline cluster {
namespace {

bool has(const char* variable) { return std::getenv(variable) != nullptr; }

int number(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

enum class Launcher { kNone, kOurs, kOpenMpi4, kPmi };

// Open MPI 5 starts ranks through PRRTE. Open MPI 4 sets the same OMPI_ and PMIX_ variables and also those of
// its own launcher, ORTE. MPICH, Intel MPI and srun without PMIx speak PMI: there Open MPI would make each
// rank a world of 1.
Launcher find_launcher() {
  if (has("PRTE_LAUNCHED")) return Launcher::kOurs;
  if (has("OMPI_MCA_orte_launch") || has("OMPI_MCA_orte_hnp_uri")) return Launcher::kOpenMpi4;
  if (has("PMIX_RANK")) return Launcher::kOurs;
  if (number("OMPI_COMM_WORLD_SIZE", 1) > 1) return Launcher::kOpenMpi4;
  return number("PMI_SIZE", 1) > 1 ? Launcher::kPmi : Launcher::kNone;
}

template <class Function>
Status find_function(const Library& library, const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(library.symbol(name));
  if (*function != nullptr) return {};
  return {Code::kInvalid, library.path() + ": has no " + name + ", so it is not Plait's MPI module"};
}

// "<prefix>/bin/mpirun" of "<prefix>/lib*/.../libmpi.so.40", or words when there is none.
std::string matching_mpirun(const std::string& library_path) {
  for (size_t end = library_path.rfind('/'); end != std::string::npos && end != 0;
       end = library_path.rfind('/', end - 1)) {
    const std::string candidate = library_path.substr(0, end) + "/bin/mpirun";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return library_path.empty() ? "the mpirun of Open MPI 5" : "the mpirun that belongs to " + library_path;
}

Status wrong_launcher(Launcher launcher, const Library& library) {
  MpiLibraryPath* library_path = nullptr;
  PLAIT_TRY(find_function(library, kMpiLibraryPath, &library_path));
  const std::string got = launcher == Launcher::kOpenMpi4
                              ? "Open MPI 4 or older"
                              : "another MPI (MPICH, Intel MPI or srun without PMIx)";
  return {Code::kPeer, "started by the mpirun of " + got + ", but this Plait is linked to Open MPI 5; use " +
                           matching_mpirun(library_path())};
}

}  // namespace

Result<std::unique_ptr<Transport>> open_transport(const std::string& module_path) {
  const Launcher launcher = find_launcher();
  if (launcher == Launcher::kNone) return single();
  PLAIT_ASSIGN(const Library library, Library::open(module_path));
  if (launcher != Launcher::kOurs) return wrong_launcher(launcher, library);
  OpenMpiWorld* open_world = nullptr;
  PLAIT_TRY(find_function(library, kOpenMpiWorld, &open_world));
  std::unique_ptr<Transport> world;
  PLAIT_TRY(open_world(&world));
  const int wanted = number("OMPI_COMM_WORLD_SIZE", world->size());
  if (world->size() != wanted) {
    world.reset();
    return wrong_launcher(Launcher::kOpenMpi4, library);
  }
  return world;
}

int launcher_size() { return number("OMPI_COMM_WORLD_SIZE", number("PMI_SIZE", 1)); }

int launcher_rank() {
  for (const char* variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (has(variable)) return number(variable, 0);
  return 0;
}

}  // namespace plait::inline cluster
