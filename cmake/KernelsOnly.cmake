# The CUDA kernels without torch: every .cu is compiled, linked with the plain loops and run against them.
#
# Where there is no GPU the check says so and counts as skipped (exit status 77); with VALETTS_REQUIRE_GPU=1 it fails.
file(GLOB VALETTS_REFERENCE_SOURCES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/native/kernels/*/*_reference.cpp")
file(GLOB VALETTS_KERNEL_CHECKS CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/native/tests/kernels/*_cuda_test.cu")

add_library(valetts_kernels OBJECT ${VALETTS_KERNEL_SOURCES} ${VALETTS_REFERENCE_SOURCES})
target_include_directories(valetts_kernels PUBLIC
  "${CMAKE_SOURCE_DIR}/native/src" "${CMAKE_SOURCE_DIR}/native/kernels")
target_compile_options(valetts_kernels PRIVATE
  $<$<COMPILE_LANGUAGE:CXX>:${VALETTS_WARNINGS}>)
if(VALETTS_WERROR)
  target_compile_options(valetts_kernels PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
endif()

foreach(_source ${VALETTS_KERNEL_CHECKS})
  get_filename_component(_name "${_source}" NAME_WE)
  add_executable("${_name}" "${_source}" $<TARGET_OBJECTS:valetts_kernels>)
  target_include_directories("${_name}" PRIVATE
    "${CMAKE_SOURCE_DIR}/native/src" "${CMAKE_SOURCE_DIR}/native/kernels" "${CMAKE_SOURCE_DIR}/native/tests/kernels")
  add_test(NAME "kernels/${_name}" COMMAND "${_name}")
  set_tests_properties("kernels/${_name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endforeach()
