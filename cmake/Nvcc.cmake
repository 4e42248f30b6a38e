# Turns on the CUDA language, with a plain message where there is no nvcc.
#
# nvcc may be a wrapper script outside the toolkit; the toolkit's real root is what `nvcc --dryrun` calls TOP.

find_program(VALETTS_NVCC nvcc HINTS "$ENV{CUDA_HOME}/bin" "$ENV{CUDACXX}" /usr/local/cuda/bin)
if(NOT VALETTS_NVCC)
  message(FATAL_ERROR "nvcc was not found: the CUDA kernels cannot be compiled here. Install a CUDA toolkit, put nvcc on "
                      "PATH, or use the preset 'cpu', which needs none.")
endif()
execute_process(COMMAND "${VALETTS_NVCC}" --dryrun probe.cu ERROR_VARIABLE _valetts_dryrun OUTPUT_QUIET)
if(_valetts_dryrun MATCHES "#\\$ TOP=([^\n]+)")
  get_filename_component(_valetts_toolkit "${CMAKE_MATCH_1}" REALPATH)
  set(CUDAToolkit_ROOT "${_valetts_toolkit}" CACHE PATH "CUDA toolkit")
  if(EXISTS "${_valetts_toolkit}/bin/nvcc")
    set(CMAKE_CUDA_COMPILER "${_valetts_toolkit}/bin/nvcc" CACHE FILEPATH "CUDA compiler")
  endif()
endif()
if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER "${VALETTS_NVCC}" CACHE FILEPATH "CUDA compiler")
endif()
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES "75;80;90" CACHE STRING "CUDA architectures")
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
