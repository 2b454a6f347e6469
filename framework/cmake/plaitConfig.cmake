# find_package(plait 1 REQUIRED): the headers (plait::sdk) and plait_add_plugin(). Needs nothing else installed.
include(${CMAKE_CURRENT_LIST_DIR}/plaitTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/PlaitPlugin.cmake)
# The installed program, for the tests of plugins: <prefix>/bin/plait, this file being <prefix>/lib/cmake/plait/.
get_filename_component(PLAIT_PROGRAM ${CMAKE_CURRENT_LIST_DIR}/../../../bin/plait ABSOLUTE)
