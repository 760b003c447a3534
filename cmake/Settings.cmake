# Compiler settings shared by every target.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

add_library(howdah_settings INTERFACE)
target_link_libraries(howdah_settings INTERFACE fmt::fmt)
target_compile_options(howdah_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -fstack-protector-strong)
target_compile_definitions(howdah_settings INTERFACE HOWDAH_VERSION="${PROJECT_VERSION}" _FILE_OFFSET_BITS=64)
target_include_directories(howdah_settings INTERFACE "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src")
if(HOWDAH_SANITIZE)
  # A report ends the program, so that no test passes beside one. -O1 builds in two thirds of the time and keeps the stacks readable.
  target_compile_options(howdah_settings INTERFACE -O1 -fsanitize=${HOWDAH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(howdah_settings INTERFACE -fsanitize=${HOWDAH_SANITIZE})
endif()

find_program(HOWDAH_CCACHE ccache)
if(HOWDAH_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${HOWDAH_CCACHE}")
endif()
