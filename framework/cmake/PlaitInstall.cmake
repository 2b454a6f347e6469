# `cmake --install build/release --prefix P`: the program, its plugins, the libraries of .deps/ that they load, and what a
# stranger needs to build a plugin or to read a job: headers, pipeline.proto and a CMake package. P can be moved.
include(CMakePackageConfigHelpers)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/framework/abi/plait ${PROJECT_SOURCE_DIR}/framework/sdk/plait
        DESTINATION include FILES_MATCHING PATTERN *.h PATTERN *.hpp)
install(FILES ${PROJECT_SOURCE_DIR}/framework/pipeline/pipeline.proto DESTINATION include/plait)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/pipelines DESTINATION share/plait FILES_MATCHING PATTERN *.txtpb)

set(package_dir lib/cmake/plait)
set_target_properties(plait_abi PROPERTIES EXPORT_NAME abi)
set_target_properties(plait_sdk PROPERTIES EXPORT_NAME sdk)
install(TARGETS plait_abi plait_sdk EXPORT plaitTargets)
install(EXPORT plaitTargets NAMESPACE plait:: DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/plaitConfigVersion.cmake COMPATIBILITY SameMajorVersion
                                 ARCH_INDEPENDENT)
install(FILES framework/cmake/plaitConfig.cmake framework/cmake/PlaitPlugin.cmake framework/cmake/PlaitCuda.cmake
              framework/cmake/plugin.map
              ${PROJECT_BINARY_DIR}/plaitConfigVersion.cmake
        DESTINATION ${package_dir})

# Copies a library under the name by which it is loaded, unless it is the system's.
function(plait_install_runtime file name)
  file(REAL_PATH ${file} real)
  if(NOT real MATCHES "^/(usr/)?lib")
    install(PROGRAMS ${real} DESTINATION lib/plait/deps RENAME ${name})
  endif()
endfunction()

get_target_property(tbb TBB::tbb IMPORTED_LOCATION_RELEASE)
get_filename_component(tbb_dir ${tbb} DIRECTORY)
get_target_property(dnnl DNNL::dnnl IMPORTED_LOCATION_RELEASE)
get_filename_component(dnnl_dir ${dnnl} DIRECTORY)
foreach(candidate ${tbb_dir}/libtbb.so.12 ${tbb_dir}/libtbbmalloc.so.2
                  ${dnnl_dir}/libdnnl.so.3 ${dnnl_dir}/libimf.so ${dnnl_dir}/libintlc.so.5)
  if(EXISTS ${candidate})
    get_filename_component(name ${candidate} NAME)
    plait_install_runtime(${candidate} ${name})
  endif()
endforeach()

# The installed program writes the reference: a page for each plugin that is installed with it.
install(CODE [[
  set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env --unset=PLAIT_PLUGIN_PATH XDG_DATA_HOME=${prefix}
            ${prefix}/bin/plait inspect --markdown ${prefix}/share/doc/plait/reference
    COMMAND_ERROR_IS_FATAL ANY)
]])
