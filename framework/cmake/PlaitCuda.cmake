# The component cuda of find_package(plait): the language CUDA, where there is a compiler that knows C++20.
# Sets plait_cuda_FOUND, and plait_why where it is FALSE.
include(CheckLanguage)
check_language(CUDA)
set(plait_cuda_FOUND FALSE)
set(plait_why "no CUDA compiler is found that works: install CUDA 12 or newer and put its nvcc on the PATH, or say \
-DCMAKE_CUDA_COMPILER=")
if(CMAKE_CUDA_COMPILER)
  enable_language(CUDA)
  if(CMAKE_CUDA_COMPILER_ID STREQUAL NVIDIA AND CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12)
    set(plait_why "${CMAKE_CUDA_COMPILER} is CUDA ${CMAKE_CUDA_COMPILER_VERSION}, wanted 12 or newer, which knows C++20")
  else()
    set(plait_cuda_FOUND TRUE)
  endif()
endif()
