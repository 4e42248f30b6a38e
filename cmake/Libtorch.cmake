# Finds libtorch inside the torch wheel of a Python and offers it as the target valetts_libtorch.
#
# The libraries are linked directly: find_package(Torch) pulls in CUDA language set-up with a wrong toolkit root where
# nvcc is a wrapper, and ignores CMAKE_CUDA_ARCHITECTURES. The wheel is located without importing torch (an import takes
# seconds for a CUDA build).

if(DEFINED ENV{VALETTS_PYTHON} AND NOT "$ENV{VALETTS_PYTHON}" STREQUAL "")
  set(_valetts_python_default "$ENV{VALETTS_PYTHON}")
else()
  set(_valetts_python_default "python3")
endif()
set(VALETTS_PYTHON "${_valetts_python_default}" CACHE STRING "Python whose torch wheel provides libtorch")

execute_process(
  COMMAND "${VALETTS_PYTHON}" -c
          "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
  OUTPUT_VARIABLE VALETTS_TORCH_DIR OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _valetts_python_result)
if(NOT _valetts_python_result EQUAL 0)
  message(FATAL_ERROR "Cannot run the Python '${VALETTS_PYTHON}'. Pass -DVALETTS_PYTHON=/path/to/python or set the "
                      "environment variable VALETTS_PYTHON to a Python that has the torch wheel.")
endif()
if(VALETTS_TORCH_DIR STREQUAL "")
  message(FATAL_ERROR "The Python '${VALETTS_PYTHON}' has no torch. Install one (python3 -m venv, then pip install "
                      "torch==2.13.0) and pass its Python with -DVALETTS_PYTHON=... or the environment variable.")
endif()
set(VALETTS_TORCH_LIB_DIR "${VALETTS_TORCH_DIR}/lib")

set(VALETTS_TORCH_VERSION "unknown")
if(EXISTS "${VALETTS_TORCH_DIR}/version.py")
  file(STRINGS "${VALETTS_TORCH_DIR}/version.py" _valetts_torch_version_line REGEX "^__version__ *=")
  string(REGEX REPLACE ".*'([^']+)'.*" "\\1" VALETTS_TORCH_VERSION "${_valetts_torch_version_line}")
endif()

add_library(valetts_libtorch INTERFACE)
target_include_directories(valetts_libtorch SYSTEM INTERFACE
  "${VALETTS_TORCH_DIR}/include" "${VALETTS_TORCH_DIR}/include/torch/csrc/api/include")
foreach(_name torch torch_cpu c10)
  if(NOT EXISTS "${VALETTS_TORCH_LIB_DIR}/lib${_name}.so")
    message(FATAL_ERROR "The torch wheel in ${VALETTS_TORCH_DIR} has no lib${_name}.so; it looks incomplete. Reinstall it.")
  endif()
endforeach()
# libtorch.so holds no symbols of its own on the CPU, but it is what registers CUDA where there is any.
target_link_libraries(valetts_libtorch INTERFACE
  "-Wl,--no-as-needed" "${VALETTS_TORCH_LIB_DIR}/libtorch.so" "${VALETTS_TORCH_LIB_DIR}/libtorch_cpu.so"
  "${VALETTS_TORCH_LIB_DIR}/libc10.so" "-Wl,--as-needed")

# The wheel's own OpenMP runtime (its name is mangled in some wheels): a second one would mean a second thread pool.
file(GLOB _valetts_gomp "${VALETTS_TORCH_LIB_DIR}/libgomp*.so*" "${VALETTS_TORCH_DIR}/../torch.libs/libgomp*.so*")
if(_valetts_gomp)
  list(GET _valetts_gomp 0 _valetts_gomp)
  target_link_libraries(valetts_libtorch INTERFACE "${_valetts_gomp}")
else()
  target_link_libraries(valetts_libtorch INTERFACE gomp)
endif()
target_compile_options(valetts_libtorch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)

# The wheel's std::string layout.
file(STRINGS "${VALETTS_TORCH_LIB_DIR}/libc10.so" _valetts_cxx11 REGEX "__cxx11" LIMIT_COUNT 1)
if(_valetts_cxx11)
  target_compile_definitions(valetts_libtorch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
else()
  target_compile_definitions(valetts_libtorch INTERFACE _GLIBCXX_USE_CXX11_ABI=0)
endif()

set(VALETTS_RPATH "${VALETTS_TORCH_LIB_DIR}")

if(VALETTS_CUDA)
  foreach(_name torch_cuda c10_cuda)
    if(NOT EXISTS "${VALETTS_TORCH_LIB_DIR}/lib${_name}.so")
      message(FATAL_ERROR "VALETTS_CUDA is on, but the torch ${VALETTS_TORCH_VERSION} of '${VALETTS_PYTHON}' has no "
                          "lib${_name}.so: it is a CPU build. Use the preset 'cpu', or a Python with a CUDA torch.")
    endif()
  endforeach()
  target_link_libraries(valetts_libtorch INTERFACE
    "-Wl,--no-as-needed" "${VALETTS_TORCH_LIB_DIR}/libtorch_cuda.so" "${VALETTS_TORCH_LIB_DIR}/libc10_cuda.so"
    "-Wl,--as-needed")
  # Headers and libraries that the wheels of the CUDA runtime carry; after the toolkit's own.
  file(GLOB _valetts_nvidia "${VALETTS_TORCH_DIR}/../nvidia/cu*" "${VALETTS_TORCH_DIR}/../nvidia/*")
  foreach(_dir ${_valetts_nvidia})
    if(IS_DIRECTORY "${_dir}/include")
      target_compile_options(valetts_libtorch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-idirafter${_dir}/include>)
    endif()
    if(IS_DIRECTORY "${_dir}/lib")
      list(APPEND VALETTS_RPATH "${_dir}/lib")
      target_link_options(valetts_libtorch INTERFACE "-Wl,-rpath-link,${_dir}/lib")
    endif()
  endforeach()
endif()
message(STATUS "libtorch ${VALETTS_TORCH_VERSION} from ${VALETTS_TORCH_DIR}")
