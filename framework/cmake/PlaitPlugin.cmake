# plait_add_plugin(<name> [KIND <kind>] [SOURCES <files>...] [LIBRARIES <libraries>...] [ONEDNN] [TESTS] [NO_INSTALL]
#                  [CUDA_APART] [CUDA_LIBRARIES <libraries>...])
# One folder, one plugin, one file <name>.plait.so that exports plait_plugin_v1 and nothing else.
# SOURCES is by default every *.cc, *.c and *.cu of the folder but *_test.cc, which become the program plugin_<name>_test, or
# in Plait's own tree part of the one of their kind: PlaitJoined.cmake.
# .cu files want find_package(plait 1 REQUIRED COMPONENTS cuda). Where that component is optional and there is no CUDA
# compiler, a plugin that has other files is built without them; where there is one, PLAIT_CUDA is defined.
# CUDA_APART: the folder's .cu files become a library of their own, <name>.cuda.plait.so (target plugin_<name>_cuda),
# linked with CUDA_LIBRARIES, which plait loads where a job runs on their device. Without a CUDA compiler it is left out.
# TESTS, for plugins outside of Plait's tree: ctest runs `plait verify` on the plugin, and the *_test.cc as a program.
# `cmake --install` puts such a plugin where plait finds it: into PLAIT_PLUGIN_INSTALL_DIR, by default the user's own
# folder of plugins.
# NO_INSTALL: `cmake --install` leaves the plugin out; for those that only tests load.
# ONEDNN links oneDNN (and the runtime that its binary asks for without naming where to find it).
# The same call serves Plait's own plugins and a stranger's, after `find_package(plait 1 REQUIRED)`.
# The target is plugin_<name>: target_compile_options and the like work on it.
set(PLAIT_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})
# The table of kinds: in an installed Plait, or in its own tree.
foreach(header ${PLAIT_CMAKE_DIR}/../../../include/plait/kinds.h ${PLAIT_CMAKE_DIR}/../abi/plait/kinds.h)
  if(EXISTS ${header})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
    file(READ ${header} PLAIT_KINDS)
    string(REGEX MATCHALL "  X\\([a-z_]+," PLAIT_KINDS "${PLAIT_KINDS}")
    string(REGEX REPLACE "  X\\(([a-z_]+)," "\\1" PLAIT_KINDS "${PLAIT_KINDS}")
    break()
  endif()
endforeach()

function(plait_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ONEDNN;TESTS;NO_INSTALL;CUDA_APART" "KIND" "SOURCES;LIBRARIES;CUDA_LIBRARIES")
  plait_check_call(${name})
  file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc ${CMAKE_CURRENT_SOURCE_DIR}/*.c
                                    ${CMAKE_CURRENT_SOURCE_DIR}/*.cu)
  set(tests ${found})
  list(FILTER found EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${found})
  endif()
  if(arg_CUDA_APART)
    plait_add_cuda_library(${name} arg_SOURCES)
  endif()
  if(NOT arg_SOURCES)
    if(NOT PLAIT_PLUGIN_OUTPUT_DIRECTORY)
      plait_refuse(${name} "no SOURCES are given, and ${CMAKE_CURRENT_SOURCE_DIR} has no .cc, .c or .cu file")
    endif()
    message(STATUS "plugin ${name}: no sources, left out")
    return()
  endif()
  plait_take_cuda(${name} arg_SOURCES cuda)

  set(target plugin_${name})
  add_library(${target} MODULE ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} SUFFIX .plait.so
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    PLAIT_KIND "${arg_KIND}" LINK_DEPENDS ${PLAIT_CMAKE_DIR}/plugin.map)
  target_compile_features(${target} PRIVATE cxx_std_20)
  if(cuda)
    plait_cuda_standard(${target})
    target_compile_definitions(${target} PRIVATE PLAIT_CUDA)
  endif()
  target_link_libraries(${target} PRIVATE plait::sdk ${arg_LIBRARIES})
  target_link_options(${target} PRIVATE
    -Wl,-z,defs -Wl,--version-script=${PLAIT_CMAKE_DIR}/plugin.map -Wl,--disable-new-dtags)
  if(arg_ONEDNN)
    plait_link_onednn(${target})
  endif()
  plait_place_plugin(${target} "${arg_NO_INSTALL}")
  if(arg_TESTS AND NOT PLAIT_PLUGIN_OUTPUT_DIRECTORY)
    plait_outside_tests(${target} "${tests}")
  else()
    plait_plugin_test(${target} "${arg_ONEDNN}" "${arg_LIBRARIES}" "${tests}")
  endif()
  if(TARGET ${target}_test)
    target_link_libraries(${target}_test PRIVATE ${arg_LIBRARIES})
    if(cuda)
      set_target_properties(${target}_test PROPERTIES LINKER_LANGUAGE CUDA)
    endif()
  endif()
endfunction()

# Where the library is built, and installed unless <no_install>.
function(plait_place_plugin target no_install)
  if(PLAIT_PLUGIN_OUTPUT_DIRECTORY)  # in Plait's own tree
    set_target_properties(${target} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PLAIT_PLUGIN_OUTPUT_DIRECTORY} INSTALL_RPATH "$ORIGIN/../deps")
    plait_precompile(${target} plugin)
    if(NOT no_install)
      install(TARGETS ${target} LIBRARY DESTINATION lib/plait/plugins)
      add_dependencies(product ${target})
    endif()
  elseif(PLAIT_PROGRAM AND NOT no_install)
    plait_user_folder(user_folder)
    set(PLAIT_PLUGIN_INSTALL_DIR ${user_folder} CACHE PATH "where cmake --install puts plugins")
    install(TARGETS ${target} LIBRARY DESTINATION ${PLAIT_PLUGIN_INSTALL_DIR})
  endif()
endfunction()

function(plait_cuda_standard target)
  if(CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set_target_properties(${target} PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON)
  else()  # this CMake is older than the standard in CUDA
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>)
  endif()
  # nvcc calls members unused that the SDK asks after: in_place, elementwise.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:--diag-suppress=177>)
endfunction()

# Takes the .cu files out of <sources> and makes a library of them, where they can be compiled.
macro(plait_add_cuda_library name sources)
  set(apart ${${sources}})
  list(FILTER apart INCLUDE REGEX "\\.cu$")
  list(FILTER ${sources} EXCLUDE REGEX "\\.cu$")
  if(apart AND plait_cuda_FOUND)
    add_library(plugin_${name}_cuda MODULE ${apart})
    set_target_properties(plugin_${name}_cuda PROPERTIES
      PREFIX "" OUTPUT_NAME ${name}.cuda SUFFIX .plait.so
      CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
      LINK_DEPENDS ${PLAIT_CMAKE_DIR}/plugin.map INSTALL_RPATH_USE_LINK_PATH ON)
    plait_cuda_standard(plugin_${name}_cuda)
    target_link_libraries(plugin_${name}_cuda PRIVATE plait::sdk ${arg_CUDA_LIBRARIES})
    target_link_options(plugin_${name}_cuda PRIVATE
      -Wl,-z,defs -Wl,--version-script=${PLAIT_CMAKE_DIR}/plugin.map -Wl,--disable-new-dtags)
    plait_place_plugin(plugin_${name}_cuda "${arg_NO_INSTALL}")
  elseif(apart AND NOT PLAIT_PLUGIN_OUTPUT_DIRECTORY)
    message(WARNING "plugin ${name}: built for the host alone, without ${apart}: ${plait_why}")
  endif()
endmacro()

macro(plait_refuse name why)
  message(FATAL_ERROR "plait_add_plugin(${name}): ${why}")
endmacro()

# What can be wrong with a call, in words of the call. KIND is one of PLAIT_KINDS, or its plural.
macro(plait_check_call name)
  if(arg_UNPARSED_ARGUMENTS)
    plait_refuse(${name} "does not understand \"${arg_UNPARSED_ARGUMENTS}\"")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    plait_refuse(${name} "${arg_KEYWORDS_MISSING_VALUES}: no value follows it")
  endif()
  if(NOT "${name}" MATCHES "^[A-Za-z0-9_.-]+$")
    plait_refuse(${name} "the name becomes that of a file: wanted letters, digits, \"_\", \"-\" and \".\"")
  endif()
  string(JOIN "|" kinds ${PLAIT_KINDS})
  if(arg_KIND AND NOT arg_KIND MATCHES "^(${kinds})(s|es)?$")
    string(REPLACE "|" ", " kinds "${kinds}")
    plait_refuse(${name} "there is no KIND \"${arg_KIND}\"; wanted one of ${kinds}")
  endif()
  if(TARGET "plugin_${name}")
    plait_refuse(${name} "there is a plugin of this name already")
  endif()
endmacro()

# Sets <cuda> to the .cu files among <sources>; takes them out of <sources> where there is no CUDA compiler and that
# was allowed.
macro(plait_take_cuda name sources cuda)
  set(${cuda} ${${sources}})
  list(FILTER ${cuda} INCLUDE REGEX "\\.cu$")
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(${cuda} AND NOT CUDA IN_LIST languages)
    list(FILTER ${sources} EXCLUDE REGEX "\\.cu$")
    if(NOT DEFINED plait_cuda_FOUND)
      plait_refuse(${name} "${${cuda}} is CUDA: wanted find_package(plait 1 REQUIRED COMPONENTS cuda) before")
    elseif(NOT ${sources})
      plait_refuse(${name} "all its sources are CUDA, and ${plait_why}")
    endif()
    message(WARNING "plugin ${name}: built for the host alone, without ${${cuda}}: ${plait_why}")
    set(${cuda})
  endif()
endmacro()

# Where plait looks for a user's plugins.
function(plait_user_folder result)
  set(data "$ENV{XDG_DATA_HOME}")
  if(NOT data)
    set(data "$ENV{HOME}/.local/share")
  endif()
  set(${result} ${data}/plait/plugins/1 PARENT_SCOPE)
endfunction()

# `plait verify`, and the folder's *_test.cc (with their own main) linked with the plugin's objects.
macro(plait_outside_tests target tests)
  enable_testing()
  if(PLAIT_PROGRAM)
    add_test(NAME ${target}_verify COMMAND ${PLAIT_PROGRAM} verify $<TARGET_FILE:${target}>)
  endif()
  if(NOT "${tests}" STREQUAL "")
    find_package(Threads REQUIRED)
    add_executable(${target}_test ${tests} $<TARGET_OBJECTS:${target}>)
    target_compile_features(${target}_test PRIVATE cxx_std_20)
    target_compile_options(${target}_test PRIVATE $<$<CXX_COMPILER_ID:GNU,Clang>:-O0>)  # half the time of a build
    target_link_libraries(${target}_test PRIVATE plait::sdk Threads::Threads)
    add_test(NAME ${target}_test COMMAND ${target}_test)
  endif()
endmacro()

# The folder's *_test.cc: part of the program of their kind where they see the library alone, else a program with the plugin's own
# objects.
function(plait_plugin_test target onednn libraries tests)
  if(NOT tests OR NOT TARGET plait_test_main)
    return()
  endif()
  plait_can_be_joined(joined ${tests})
  if(joined AND NOT libraries)
    get_filename_component(kind ${CMAKE_CURRENT_SOURCE_DIR} DIRECTORY)
    get_filename_component(kind ${kind} NAME)
    plait_test_joined(${kind} ${target} ${tests})
    return()
  endif()
  plait_doctest(${target}_test SOURCES ${tests} $<TARGET_OBJECTS:${target}> LINK plait::sdk PRECOMPILED plugin_test)
  target_link_options(${target}_test PRIVATE -Wl,--disable-new-dtags)
  if(onednn)
    plait_link_onednn(${target}_test)
  endif()
endfunction()

# libdnnl asks for the Intel runtime but has no RUNPATH. So the target asks for it too, and says where by an RPATH, not a
# RUNPATH: only the former also serves the look-ups of the libraries that the target pulls in. It therefore
# works when the target is opened by a program that knows nothing of oneDNN. What DNNL::dnnl names beside it (oneTBB) is linked
# where the target calls it, and nowhere else: of two in a process each would have threads of its own.
function(plait_link_onednn target)
  find_package(dnnl CONFIG QUIET)
  if(NOT TARGET DNNL::dnnl)
    message(FATAL_ERROR "${target}: oneDNN is not found; put its prefix into CMAKE_PREFIX_PATH")
  endif()
  target_link_libraries(${target} PRIVATE DNNL::dnnl)
  target_link_options(${target} PRIVATE LINKER:--as-needed)
  get_target_property(library DNNL::dnnl IMPORTED_LOCATION_RELEASE)
  get_filename_component(library_dir "${library}" DIRECTORY)
  foreach(runtime libimf.so libintlc.so.5)
    if(EXISTS ${library_dir}/${runtime})
      target_link_options(${target} PRIVATE LINKER:--push-state,--no-as-needed,${library_dir}/${runtime},--pop-state)
    endif()
  endforeach()
  set_property(TARGET ${target} APPEND PROPERTY BUILD_RPATH ${library_dir})
endfunction()
