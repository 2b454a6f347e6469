# How everything in the tree is compiled: languages, warnings, layout of the build folder.
# A stranger's plugin does not see this file; what it needs is in PlaitPlugin.cmake.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# No NDEBUG: assertions stay on in every build. A compare costs less than a wrong weight.
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_CUDA_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g1")
# Libraries of other projects are always taken in their release form: a debug oneTBB beside the one that oneDNN
# brings along would be two schedulers in one process.
foreach(config DEBUG RELWITHDEBINFO MINSIZEREL)
  set(CMAKE_MAP_IMPORTED_CONFIG_${config} "Release;;None")
endforeach()

# The tree is kept free of g++'s warnings; another compiler sees other things.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
  add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic>" $<$<COMPILE_LANGUAGE:CXX>:-Wshadow>)
endif()
if(PLAIT_SANITIZE)
  add_compile_options(-fsanitize=${PLAIT_SANITIZE} -fno-omit-frame-pointer)
  if(PLAIT_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=vptr)  # oneTBB's flow graph looks at objects that are still being made
  endif()
  add_link_options(-fsanitize=${PLAIT_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # -Wmaybe-uninitialized sees what is not there in code that a sanitizer has been through.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()

find_program(PLAIT_CCACHE ccache)
mark_as_advanced(PLAIT_CCACHE)
if(PLAIT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${PLAIT_CCACHE})
  # What ccache wants to be told where headers are precompiled: nothing of the tree asks for the time.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${PLAIT_CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${PLAIT_CCACHE})
endif()

# The build folder has the shape of an installed Plait, so that the program finds its plugins in both by one rule.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/plait)
set(PLAIT_PLUGIN_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/plait/plugins)
set(PLAIT_TEST_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
