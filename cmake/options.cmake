# Flags that every target of ours is built with.
add_library(lambert_options INTERFACE)
target_include_directories(lambert_options INTERFACE ${PROJECT_SOURCE_DIR}/include
                                                     ${PROJECT_SOURCE_DIR}/src)
target_compile_options(lambert_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror
  -ffp-contract=off                                   # same bytes everywhere
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.           # reproducible
  -fstack-protector-strong -ffunction-sections -fdata-sections)
target_link_options(lambert_options INTERFACE -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(lambert_options INTERFACE -fcf-protection)
endif()

if(LAMBERT_SANITIZE)
  target_compile_options(lambert_options INTERFACE -fsanitize=${LAMBERT_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(lambert_options INTERFACE -fsanitize=${LAMBERT_SANITIZE})
elseif(LAMBERT_COVERAGE)
  target_compile_options(lambert_options INTERFACE --coverage -g1)
  target_link_options(lambert_options INTERFACE --coverage)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(lambert_options INTERFACE _FORTIFY_SOURCE=2)
endif()
if(LAMBERT_FUZZ)  # the libraries too: libFuzzer is guided by their coverage
  target_compile_options(lambert_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_compile_definitions(lambert_options INTERFACE
  $<$<NOT:$<CONFIG:Release>>:_GLIBCXX_ASSERTIONS> LAMBERT_VERSION="${PROJECT_VERSION}")
