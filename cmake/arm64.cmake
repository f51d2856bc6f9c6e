# Debian's cross compiler for arm64, and the libraries that tools/arm64_root has laid out.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)

get_filename_component(arm64_root "${CMAKE_CURRENT_LIST_DIR}/../.arm64-root" ABSOLUTE)
set(CMAKE_FIND_ROOT_PATH ${arm64_root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# What a native compiler searches unasked.
set(CMAKE_CXX_FLAGS_INIT
  "-isystem ${arm64_root}/usr/include -isystem ${arm64_root}/usr/include/aarch64-linux-gnu")
