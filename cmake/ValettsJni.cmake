# libjnivaletts: the glue that JavaCPP generates from ai.valetts.engine.jni.CoreBinding (`mvn process-classes`),
# compiled against valetts.h alone, so that it serves every libtorch. Without a JDK or generated glue there is no target.
#
# FindJNI is not used: it asks for AWT, which headless JDKs do not have.

set(VALETTS_JNI_GLUE_DIR "${CMAKE_SOURCE_DIR}/java/target/jni" CACHE PATH "Folder with the generated jnivaletts.cpp")

find_program(VALETTS_JAVAC javac HINTS "$ENV{JAVA_HOME}/bin")
set(VALETTS_JDK "$ENV{JAVA_HOME}")
if(VALETTS_JAVAC)
  get_filename_component(VALETTS_JAVAC_REAL "${VALETTS_JAVAC}" REALPATH)
  get_filename_component(VALETTS_JDK "${VALETTS_JAVAC_REAL}/../.." ABSOLUTE)
endif()
find_path(VALETTS_JNI_INCLUDE jni.h HINTS "${VALETTS_JDK}/include" "$ENV{JAVA_HOME}/include")

if(NOT VALETTS_JNI_INCLUDE)
  message(STATUS "JNI glue: left out, no jni.h (a JDK has it; JAVA_HOME may name one)")
elseif(NOT EXISTS "${VALETTS_JNI_GLUE_DIR}/jnivaletts.cpp")
  message(STATUS "JNI glue: left out, not generated yet (mvn process-classes)")
else()
  message(STATUS "JNI glue: ${VALETTS_JNI_GLUE_DIR}")
  # JavaCPP writes its files anew each time: compile copies that change only when the content does.
  foreach(_name jnivaletts jnijavacpp)
    configure_file("${VALETTS_JNI_GLUE_DIR}/${_name}.cpp" "${CMAKE_BINARY_DIR}/jni/${_name}.cpp" COPYONLY)
  endforeach()
  add_library(jnivaletts SHARED "${CMAKE_BINARY_DIR}/jni/jnivaletts.cpp" "${CMAKE_BINARY_DIR}/jni/jnijavacpp.cpp")
  target_include_directories(jnivaletts PRIVATE
    "${CMAKE_SOURCE_DIR}/native/include" "${VALETTS_JNI_INCLUDE}" "${VALETTS_JNI_INCLUDE}/linux")
  target_link_libraries(jnivaletts PRIVATE valetts)
  # Generated code is not ours to warn about. Both libraries lie in one folder, wherever the jar unpacks them.
  target_compile_options(jnivaletts PRIVATE -w)
  # What libvaletts needs itself is found through its own path, not the glue's.
  target_link_options(jnivaletts PRIVATE "-Wl,--allow-shlib-undefined")
  set_target_properties(jnivaletts PROPERTIES BUILD_RPATH "" BUILD_RPATH_USE_ORIGIN ON
    INSTALL_RPATH "$ORIGIN" BUILD_WITH_INSTALL_RPATH ON)
endif()
