# Small sources that are many are compiled several at a time: framework/decisions/joined-sources.md.
# A stranger's plugin does not see this file. -DPLAIT_JOIN=OFF compiles the sources of the framework one by one: better where the
# same few change again and again, and where a forgotten include is to be found, as in a sanitizer's build.
if(PLAIT_SANITIZE)
  set(PLAIT_JOIN_DEFAULT OFF)
else()
  set(PLAIT_JOIN_DEFAULT ON)
endif()
option(PLAIT_JOIN "Compile several sources of the framework at a time" ${PLAIT_JOIN_DEFAULT})

# plait_join_library(<library> <names>): its sources eight at a time, as they are, but those that the regular expressions <names>
# name: they have names in common with another.
function(plait_join_library library alone)
  if(NOT PLAIT_JOIN)
    return()
  endif()
  get_target_property(sources ${library} SOURCES)
  foreach(name ${alone})
    set(found ${sources})
    list(FILTER found INCLUDE REGEX "/${name}\\.cc$")
    if(NOT found)
      message(FATAL_ERROR "${library}: ALONE ${name} is no file of it")
    endif()
    set_source_files_properties(${found} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
  set_target_properties(${library} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # which takes what is included for a header
    set_target_properties(${library} PROPERTIES COMPILE_FLAGS -Wno-subobject-linkage)
  endif()
endfunction()

# plait_join(<result> <name> [PLUGINS] SOURCES <files>...): sets <result> to generated sources, each of at most 12 of the files, which
# are its property PLAIT_JOINED.
function(plait_join result name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "PLUGINS" "" "SOURCES")
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(script ${PROJECT_SOURCE_DIR}/framework/cmake/join_sources.py)
  set(plugins)
  if(arg_PLUGINS)
    set(plugins --plugins)
  endif()
  set(joined)
  while(arg_SOURCES)
    list(SUBLIST arg_SOURCES 0 12 some)
    list(REMOVE_ITEM arg_SOURCES ${some})
    list(LENGTH joined number)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/joined/${name}_${number}.cc)
    file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/joined)
    add_custom_command(OUTPUT ${output}
      COMMAND Python3::Interpreter ${script} ${output} ${PROJECT_SOURCE_DIR} ${plugins} ${some}
      DEPENDS ${script} ${some} COMMENT "Joining ${name}_${number}.cc" VERBATIM)
    set_source_files_properties(${output} PROPERTIES PLAIT_JOINED "${some}")
    list(APPEND joined ${output})
  endwhile()
  set(${result} ${joined} PARENT_SCOPE)
endfunction()

# Whether a test can be compiled in one source with others, and tried on its plugin's library: it sees nothing of the plugin but
# what that exports.
function(plait_can_be_joined result)
  set(${result} TRUE PARENT_SCOPE)
  foreach(source ${ARGN})
    file(STRINGS ${source} own REGEX "^(#include \"|#if|#define|extern|namespace [a-z])")
    if(own)
      set(${result} FALSE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

# plait_test_joined(<kind> <target> <tests>...): the tests of that plugin become part of the program of its kind.
function(plait_test_joined kind target)
  set_property(GLOBAL APPEND PROPERTY PLAIT_JOINED_KINDS ${kind})
  set_property(GLOBAL APPEND PROPERTY PLAIT_JOINED_PLUGINS_${kind} ${target})
  set_property(GLOBAL APPEND PROPERTY PLAIT_JOINED_TESTS_${kind} ${ARGN})
endfunction()

# For each kind one program, plugins_<kind>_test, of all tests that were given: it opens the libraries that it tries.
function(plait_joined_tests)
  get_property(kinds GLOBAL PROPERTY PLAIT_JOINED_KINDS)
  list(REMOVE_DUPLICATES kinds)
  foreach(kind ${kinds})
    get_property(plugins GLOBAL PROPERTY PLAIT_JOINED_PLUGINS_${kind})
    get_property(tests GLOBAL PROPERTY PLAIT_JOINED_TESTS_${kind})
    set(program plugins_${kind}_test)
    plait_join(sources ${program} SOURCES ${tests})
    plait_doctest(${program} SOURCES ${sources} ${PROJECT_SOURCE_DIR}/tests/linked_plugins.cc LINK plait::sdk ${CMAKE_DL_LIBS}
      PRECOMPILED plugin_test)
    set(list ${CMAKE_CURRENT_BINARY_DIR}/${program}.txt)
    list(TRANSFORM plugins REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE files)
    file(GENERATE OUTPUT ${list} CONTENT "$<JOIN:${files},\n>\n")
    target_compile_definitions(${program} PRIVATE PLAIT_TEST_PLUGINS="${list}")
    target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR})
    add_dependencies(${program} ${plugins})
  endforeach()
endfunction()
