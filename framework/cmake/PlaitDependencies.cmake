# Finds what the tree is built from: .deps/ when setup.sh has made it, then the system.
# Each library has one folder that may use it; see the house rules in tests/house_rules/.
if(EXISTS ${PROJECT_SOURCE_DIR}/.deps/lib/cmake)
  list(PREPEND CMAKE_PREFIX_PATH ${PROJECT_SOURCE_DIR}/.deps)
endif()
set(PLAIT_SETUP_HINT "run framework/cmake/setup.sh, which installs what is missing")

macro(plait_find name)
  find_package(${name} ${ARGN} QUIET)
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${name} is not found: ${PLAIT_SETUP_HINT}")
  endif()
endmacro()

plait_find(Threads)
plait_find(TBB CONFIG COMPONENTS tbb)
plait_find(dnnl CONFIG)
plait_find(Protobuf MODULE)
plait_find(Boost MODULE COMPONENTS program_options)
plait_find(fmt CONFIG)
plait_find(nlohmann_json CONFIG)
plait_find(ZLIB MODULE)
if(BUILD_TESTING)
  plait_find(doctest CONFIG)
endif()

# The wrapper compiler of the Open MPI that is beside oneDNN, before any that the system has.
find_program(MPI_C_COMPILER NAMES mpicc PATHS ${CMAKE_PREFIX_PATH} PATH_SUFFIXES bin NO_DEFAULT_PATH)
plait_find(MPI MODULE COMPONENTS C)
