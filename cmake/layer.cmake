# lambert_layer(NAME [SMALL] SOURCES ... [DEPENDS layer ...]): a folder of src/ as the library
# lambert_NAME. With LAMBERT_UNITY its files are compiled as one, but for those that have options of
# their own. SMALL: a release is compiled for size, where networks and disks take the time.
function(lambert_layer name)
  cmake_parse_arguments(ARG "SMALL" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(lambert_${name} STATIC ${ARG_SOURCES})
  set_target_properties(lambert_${name} PROPERTIES
    UNITY_BUILD ${LAMBERT_UNITY} UNITY_BUILD_BATCH_SIZE 0)
  target_link_libraries(lambert_${name} PUBLIC lambert_options)
  if(ARG_SMALL)
    target_compile_options(lambert_${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  endif()
  foreach(layer ${ARG_DEPENDS})
    target_link_libraries(lambert_${name} PUBLIC lambert_${layer})
  endforeach()
endfunction()

# lambert_program(TARGET): a program that ships, at the top of the build directory; in a release
# one static, stripped, position independent file.
function(lambert_program target)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT LAMBERT_SANITIZE AND NOT LAMBERT_COVERAGE)
    target_link_options(${target} PRIVATE -static-pie -s -Wl,-z,pack-relative-relocs)
  endif()
endfunction()

# lambert_test(NAME SOURCES ... DEPENDS layer ... [LABELS label ...]): a GoogleTest program, with
# LAMBERT_UNITY compiled as one file, run whole by ctest. Label `threads` means that it also runs
# under ThreadSanitizer, some ten times slower: not for tests that run the default model.
function(lambert_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${LAMBERT_UNITY} UNITY_BUILD_BATCH_SIZE 0)
  target_link_libraries(${name} PRIVATE lambert_options GTest::gtest_main)
  foreach(layer ${ARG_DEPENDS})
    target_link_libraries(${name} PRIVATE lambert_${layer})
  endforeach()
  target_compile_definitions(${name} PRIVATE LAMBERT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  if(threads IN_LIST ARG_LABELS)
    add_dependencies(thread_tests ${name})
  endif()
endfunction()

# lambert_fuzz(NAME DEPENDS layer ...): fuzz/NAME_fuzz.cc; always a test that replays
# fuzz/corpus/NAME, and a libFuzzer program where LAMBERT_FUZZ is on.
function(lambert_fuzz name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  if(LAMBERT_FUZZ)
    add_executable(${name}_fuzz ${name}_fuzz.cc)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name}_fuzz ${name}_fuzz.cc replay_main.cc)
    add_test(NAME ${name}_corpus
             COMMAND ${name}_fuzz ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
  endif()
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${name}_fuzz)
  target_link_libraries(${name}_fuzz PRIVATE lambert_options)
  target_compile_definitions(${name}_fuzz PRIVATE LAMBERT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  foreach(layer ${ARG_DEPENDS})
    target_link_libraries(${name}_fuzz PRIVATE lambert_${layer})
  endforeach()
endfunction()

# lambert_without_unwind_tables(TARGET...): in a static release, imported static libraries in C
# without their .eh_frame, 0.5 MB of OpenSSL's: no exception passes through them.
function(lambert_without_unwind_tables)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR LAMBERT_SANITIZE OR LAMBERT_COVERAGE)
    return()
  endif()
  foreach(target ${ARGN})
    get_target_property(library ${target} IMPORTED_LOCATION)
    get_filename_component(name ${library} NAME)
    set(copy ${PROJECT_BINARY_DIR}/${name})
    if(NOT EXISTS ${copy} OR ${library} IS_NEWER_THAN ${copy})
      execute_process(COMMAND ${CMAKE_OBJCOPY} --remove-section .eh_frame ${library} ${copy}
        COMMAND_ERROR_IS_FATAL ANY)
    endif()
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${copy})
  endforeach()
endfunction()
