# Headers that nearly all sources of a sort include are compiled once for them all: framework/decisions/precompiled-headers.md.
# A stranger's plugin does not see this file. -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON compiles the tree as if it were not here.

# By g++ alone, and not for a sanitizer's build: that one is also where an include that was forgotten is found.
set(PLAIT_PRECOMPILES FALSE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT PLAIT_SANITIZE)
  set(PLAIT_PRECOMPILES TRUE)
endif()
# CMake's own prologue makes all of them system headers, and the SDK would be compiled without warnings.
set(CMAKE_PCH_PROLOGUE "")
set(PLAIT_PRECOMPILED_DIR ${CMAKE_CURRENT_LIST_DIR}/precompiled)

# Without the first, ccache compiles anew. The others are warnings that the standard library turns off for its strings by a
# pragma, which g++ 12 forgets in a precompiled header; they are false there.
set(PLAIT_PRECOMPILED_OPTIONS -fpch-preprocess -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)

# plait_precompiled(<set> <header> [TEST] [OPTIONS <options>...] [LINK <libraries>...]): compiles precompiled/<header>.hpp
# with the options of the sources that use it; TEST: those of a test program.
function(plait_precompiled set header)
  cmake_parse_arguments(PARSE_ARGV 2 arg "TEST" "" "OPTIONS;LINK")
  if(NOT PLAIT_PRECOMPILES OR (arg_TEST AND NOT BUILD_TESTING))
    return()
  endif()
  set(target plait_precompiled_${set})
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${PLAIT_PRECOMPILED_DIR}/nothing.cc)
  target_link_libraries(${target} PRIVATE ${arg_LINK})
  target_compile_options(${target} PRIVATE ${arg_OPTIONS})
  if(arg_TEST)  # has the code of a program, not of a library
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF COMPILE_FLAGS -fPIE)
  endif()
  # Found by its folder, so that what is compiled has no path in it: two trees have one compiler cache.
  target_include_directories(${target} PRIVATE ${PLAIT_PRECOMPILED_DIR})
  target_precompile_headers(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:\"${header}.hpp\">")
endfunction()

# plait_precompile(<target> <set>): the C++ sources of the target begin with the headers of the set. Not where the target
# or a source has options of its own, which are known at the end of its CMakeLists.txt, nor beside C, for which CMake wants
# a header too.
function(plait_precompile target set)
  if(TARGET plait_precompiled_${set})
    cmake_language(EVAL CODE "cmake_language(DEFER CALL plait_reuse_precompiled ${target} plait_precompiled_${set})")
  endif()
endfunction()

function(plait_reuse_precompiled target precompiled)
  get_target_property(options ${target} COMPILE_OPTIONS)
  get_target_property(wanted_options ${precompiled} COMPILE_OPTIONS)
  get_target_property(sources ${target} SOURCES)
  if(NOT "${options}" STREQUAL "${wanted_options}" OR "${sources}" MATCHES "\\.c(;|$)")
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${precompiled})
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${PLAIT_PRECOMPILED_OPTIONS}>")
  foreach(source ${sources})
    get_source_file_property(options "${source}" COMPILE_OPTIONS)
    if(options)
      set_source_files_properties("${source}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

plait_precompiled(framework framework LINK fmt::fmt)
plait_precompiled(plugin plugin LINK plait::sdk)
plait_precompiled(plugin_test plugin_test TEST OPTIONS ${PLAIT_TEST_OPTIONS} LINK plait::sdk doctest::doctest)
