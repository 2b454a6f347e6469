# find_package(plait 1 REQUIRED): the headers (plait::sdk) and plait_add_plugin(). Needs nothing else installed.
# COMPONENTS cuda: .cu files among the sources of plugins. It enables the language CUDA, so that the call belongs into
# the topmost CMakeLists.txt and into no function. With OPTIONAL_COMPONENTS cuda, plugins are built without their .cu
# files where there is no CUDA compiler, and plait_cuda_FOUND says so.
include(${CMAKE_CURRENT_LIST_DIR}/plaitTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/PlaitPlugin.cmake)
# The installed program, for the tests of plugins: <prefix>/bin/plait, this file being <prefix>/lib/cmake/plait/.
get_filename_component(PLAIT_PROGRAM ${CMAKE_CURRENT_LIST_DIR}/../../../bin/plait ABSOLUTE)

foreach(plait_component IN LISTS plait_FIND_COMPONENTS)
  if(plait_component STREQUAL cuda)
    include(${CMAKE_CURRENT_LIST_DIR}/PlaitCuda.cmake)
  else()
    set(plait_why "there is no component \"${plait_component}\": the only one is cuda")
    set(plait_${plait_component}_FOUND FALSE)
  endif()
  if(plait_FIND_REQUIRED_${plait_component} AND NOT plait_${plait_component}_FOUND)
    set(plait_FOUND FALSE)
    set(plait_NOT_FOUND_MESSAGE "${plait_why}")
  endif()
endforeach()
