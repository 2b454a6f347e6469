# How a folder of framework/ becomes a library and a test program, and how a test is registered.

# plait_framework_library(<folder> [FOLDERS <folders>...] [EXCLUDE <files>...] [ALONE <names>...] [LINK <libraries>...])
# The *.cc (not *_test.cc) of the folder, and of the folders in it that are named, become the static library plait_<folder>, its *.proto generated sources of it;
# a folder of headers alone becomes an interface library. Its *_test.cc become the program plait_<folder>_test.
# ALONE: regular expressions of the files that are not compiled together with others: framework/decisions/joined-sources.md.
function(plait_framework_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FOLDERS;EXCLUDE;ALONE;LINK")
  plait_glob_sources(sources tests ${arg_FOLDERS})
  list(TRANSFORM arg_EXCLUDE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources ${arg_EXCLUDE})
  file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.proto)
  set(library plait_${folder})
  if(sources OR protos)
    add_library(${library} STATIC ${sources})
    set(visibility PUBLIC)
  else()
    add_library(${library} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(${library} ${visibility} ${PROJECT_SOURCE_DIR}/framework)
  target_link_libraries(${library} ${visibility} ${arg_LINK})
  if(protos)
    plait_compile_protos(${library} ${protos})
  endif()
  if(visibility STREQUAL PUBLIC)
    plait_precompile(${library} framework)
    plait_join_library(${library} "${arg_ALONE}")
  endif()
  plait_doctest(${library}_test SOURCES ${tests} LINK ${library})
  if(protos AND TARGET ${library}_test)
    target_include_directories(${library}_test SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/generated)
  endif()
endfunction()

# plait_glob_sources(<sources> <tests> <folders>...): sets <sources> to the *.cc and *.c of this folder and of <folders> in
# it, and <tests> to their *_test.cc. A new file is found by the next build.
function(plait_glob_sources sources tests)
  set(patterns ${CMAKE_CURRENT_SOURCE_DIR}/*.cc ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  foreach(folder ${ARGN})
    list(APPEND patterns ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c)
  endforeach()
  file(GLOB found CONFIGURE_DEPENDS ${patterns})
  set(found_tests ${found})
  list(FILTER found EXCLUDE REGEX "_test\\.cc$")
  list(FILTER found_tests INCLUDE REGEX "_test\\.cc$")
  set(${sources} ${found} PARENT_SCOPE)
  set(${tests} ${found_tests} PARENT_SCOPE)
endfunction()

# train/checkpoint_state.proto is included as "train/checkpoint_state.pb.h", without the house's warnings, in the library
# and its tests: those alone see generated code.
function(plait_compile_protos library)
  set(generated_dir ${PROJECT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${generated_dir})
  foreach(proto ${ARGN})
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR}/framework ${proto})
    string(REGEX REPLACE "\\.proto$" "" generated ${generated_dir}/${name})
    add_custom_command(
      OUTPUT ${generated}.pb.h ${generated}.pb.cc
      COMMAND protobuf::protoc --proto_path=${PROJECT_SOURCE_DIR}/framework --cpp_out=${generated_dir} ${proto}
      DEPENDS ${proto} protobuf::protoc
      COMMENT "Compiling ${name}" VERBATIM)
    target_sources(${library} PRIVATE ${generated}.pb.h ${generated}.pb.cc)
    set_source_files_properties(${generated}.pb.cc PROPERTIES COMPILE_OPTIONS "-w")
  endforeach()
  target_include_directories(${library} SYSTEM PRIVATE ${generated_dir})
endfunction()

# Tests are compiled more often than they run long: a quarter of a build of them is the optimizer's.
set(PLAIT_TEST_OPTIONS "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANG_AND_ID:CXX,GNU,Clang>>:-O0>")

# plait_doctest(<program> SOURCES <files>... [LINK <libraries>...] [PRECOMPILED <set>]): one ctest entry. Nothing when there are
# no files. PRECOMPILED: see PlaitPrecompiled.cmake.
function(plait_doctest program)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRECOMPILED" "SOURCES;LINK")
  if(NOT BUILD_TESTING OR NOT arg_SOURCES)
    return()
  endif()
  add_executable(${program} ${arg_SOURCES})
  target_link_libraries(${program} PRIVATE ${arg_LINK} plait_test_main)
  target_compile_options(${program} PRIVATE ${PLAIT_TEST_OPTIONS})
  if(arg_PRECOMPILED)
    plait_precompile(${program} ${arg_PRECOMPILED})
  endif()
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PLAIT_TEST_OUTPUT_DIRECTORY})
  plait_test(${program} COMMAND ${program})
endfunction()

# plait_test(<name> COMMAND <words>... [TIMEOUT <seconds>] [PROCESSORS <n>] [LABELS <words>...])
# Runs in the root of the tree with `plait` and the matching `mpirun` on PATH. The command also sees
# PLAIT_SOURCE_DIR, PLAIT_BUILD_DIR and the settings of .deps/env.sh; tools speak English and Python reads UTF-8,
# whatever the locale, and nothing is written into the tree. Its temporary folders are its own (tests/own_folders.py).
function(plait_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;PROCESSORS" "COMMAND;LABELS")
  if(NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  list(POP_FRONT arg_COMMAND program)
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  add_test(NAME ${name} COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/own_folders.py ${program} ${arg_COMMAND}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  get_filename_component(mpi_bin "${MPI_C_COMPILER}" DIRECTORY)
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT}
    LABELS "${arg_LABELS}"
    ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${mpi_bin};PATH=path_list_prepend:${CMAKE_RUNTIME_OUTPUT_DIRECTORY};\
PLAIT_SOURCE_DIR=set:${PROJECT_SOURCE_DIR};PLAIT_BUILD_DIR=set:${PROJECT_BINARY_DIR};\
LANGUAGE=set:en;PYTHONUTF8=set:1;PYTHONDONTWRITEBYTECODE=set:1;${PLAIT_MPI_ENVIRONMENT}")
  if(PLAIT_SANITIZE MATCHES "address")
    # What the system refuses must come back as a null, and a fault as the signal that it is: tests look at both.
    set_property(TEST ${name} APPEND PROPERTY
      ENVIRONMENT_MODIFICATION "ASAN_OPTIONS=path_list_append:allocator_may_return_null=1:handle_segv=0")
  endif()
  if(arg_PROCESSORS)
    set_tests_properties(${name} PROPERTIES PROCESSORS ${arg_PROCESSORS})
  endif()
endfunction()

# The settings that .deps/env.sh exports for mpirun, read from the one list.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/mpi.env settings REGEX "^[A-Z]")
set(PLAIT_MPI_ENVIRONMENT)
foreach(setting ${settings})
  string(REGEX REPLACE "^([^=]+)=" "\\1=set:" setting ${setting})
  list(APPEND PLAIT_MPI_ENVIRONMENT ${setting})
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/mpi.env)
