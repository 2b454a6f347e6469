# The component cuda of find_package(plait): the language CUDA, where there is a compiler that knows C++20.
# Sets plait_cuda_FOUND, and plait_why where it is FALSE.
include(CheckLanguage)
check_language(CUDA)
set(plait_cuda_FOUND FALSE)
# Machine code for the cards of data centres, and PTX that the driver compiles for others and later ones. In one option, so that
# nvcc reads the headers once for all of them: words of CMAKE_CUDA_ARCHITECTURES have it read them once for each, which takes
# 7.7 s of a processor in place of 5.4 s for a small kernel.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES OFF)
  set(plait_cuda_code "--generate-code=arch=compute_80,code=[sm_80,sm_90,compute_80]")
endif()
set(plait_why "no CUDA compiler is found that works: install CUDA 12 or newer and put its nvcc on the PATH, or say \
-DCMAKE_CUDA_COMPILER=")
if(CMAKE_CUDA_COMPILER)
  enable_language(CUDA)
  if(DEFINED plait_cuda_code)
    string(APPEND CMAKE_CUDA_FLAGS " ${plait_cuda_code}")
  endif()
  if(CMAKE_CUDA_COMPILER_ID STREQUAL NVIDIA AND CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12)
    set(plait_why "${CMAKE_CUDA_COMPILER} is CUDA ${CMAKE_CUDA_COMPILER_VERSION}, wanted 12 or newer, which knows C++20")
  else()
    set(plait_cuda_FOUND TRUE)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # this CMake is older than the standard in CUDA
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
  endif()
endif()
