# One doctest executable, valetts_tests; ctest runs it once per *_test.cpp.
#
# Exit status 77 means: all that ran passed, but something was skipped (fixtures absent), which ctest counts and prints.
find_path(VALETTS_DOCTEST_INCLUDE doctest/doctest.h)
if(NOT VALETTS_DOCTEST_INCLUDE)
  message(FATAL_ERROR "doctest/doctest.h was not found. Install it (Debian and Ubuntu: doctest-dev) or configure with "
                      "-DVALETTS_TESTS=OFF.")
endif()

file(GLOB_RECURSE VALETTS_TEST_SOURCES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/native/tests/*_test.cpp")
file(GLOB VALETTS_TEST_SUPPORT CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/native/tests/*.cpp")
list(REMOVE_ITEM VALETTS_TEST_SUPPORT ${VALETTS_TEST_SOURCES})

# An object library compiled like the core, so that the core's precompiled header serves the tests too.
add_library(valetts_test_objects OBJECT ${VALETTS_TEST_SOURCES} ${VALETTS_TEST_SUPPORT})
target_link_libraries(valetts_test_objects PUBLIC valetts_core)
target_include_directories(valetts_test_objects SYSTEM PRIVATE "${VALETTS_DOCTEST_INCLUDE}")
target_include_directories(valetts_test_objects PRIVATE "${CMAKE_SOURCE_DIR}/native/tests")
target_compile_options(valetts_test_objects PRIVATE ${VALETTS_WARNINGS})
set_target_properties(valetts_test_objects PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_precompile_headers(valetts_test_objects REUSE_FROM valetts_core)
set_source_files_properties("${CMAKE_SOURCE_DIR}/native/tests/main.cpp" PROPERTIES SKIP_PRECOMPILE_HEADERS ON
  COMPILE_DEFINITIONS VALETTS_DEFAULT_FIXTURES="${CMAKE_SOURCE_DIR}/../shared/fixtures")
set_source_files_properties("${CMAKE_SOURCE_DIR}/native/tests/parity/golden_test.cpp" PROPERTIES SKIP_PRECOMPILE_HEADERS ON
  COMPILE_DEFINITIONS VALETTS_GOLDENS="${CMAKE_SOURCE_DIR}/native/tests/parity/golden")
add_executable(valetts_tests
  $<TARGET_OBJECTS:valetts_test_objects> $<TARGET_OBJECTS:valetts_core> ${VALETTS_KERNEL_OBJECTS})
target_link_libraries(valetts_tests PRIVATE valetts_core)
set_target_properties(valetts_tests PROPERTIES LINKER_LANGUAGE CXX)

foreach(_source ${VALETTS_TEST_SOURCES})
  file(RELATIVE_PATH _name "${CMAKE_SOURCE_DIR}/native/tests" "${_source}")
  string(REGEX REPLACE "_test\\.cpp$" "" _name "${_name}")
  add_test(NAME "${_name}" COMMAND valetts_tests "--source-file=*/native/tests/${_name}_test.cpp" --no-intro=true)
  set_tests_properties("${_name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900
    ENVIRONMENT "OMP_WAIT_POLICY=PASSIVE;ASAN_OPTIONS=detect_leaks=0")
endforeach()

add_test(NAME layers COMMAND "${VALETTS_PYTHON}" "${CMAKE_SOURCE_DIR}/cmake/check_layers.py" "${CMAKE_SOURCE_DIR}/native")
