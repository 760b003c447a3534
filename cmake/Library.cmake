# libhowdah as other programs get it: the objects of src/client as a shared and as a static library, with headers, find_package(howdah)
# and pkg-config. Install components: runtime, development, program.
# The layout is Debian's below any prefix: lib/<architecture> is searched by compiler, loader, CMake and pkg-config alike.
if(CMAKE_LIBRARY_ARCHITECTURE)
  set(CMAKE_INSTALL_LIBDIR "lib/${CMAKE_LIBRARY_ARCHITECTURE}" CACHE PATH "Where libraries are installed")
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One set of objects serves the program, the static and the shared library. Nobody replaces a function of the library from outside, so
# position-independent code need not take that into account. abidiff reads the types from the debugging information: -g2 has them.
set_target_properties(howdah_client PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_compile_options(howdah_client PRIVATE -fno-semantic-interposition -fno-plt -g2)

set(howdah_map "${CMAKE_SOURCE_DIR}/src/client/libhowdah.map")
add_library(libhowdah SHARED $<TARGET_OBJECTS:howdah_client>)
add_library(libhowdah_static STATIC $<TARGET_OBJECTS:howdah_client>)
foreach(library libhowdah libhowdah_static)
  set_target_properties(${library} PROPERTIES PREFIX "" LINKER_LANGUAGE CXX)
  target_link_libraries(${library} PRIVATE PkgConfig::libpq Threads::Threads)
  target_compile_features(${library} INTERFACE cxx_std_20)
  target_include_directories(${library} INTERFACE "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>")
endforeach()
set_target_properties(libhowdah PROPERTIES VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}" LINK_DEPENDS "${howdah_map}"
  EXPORT_NAME howdah)
target_link_options(libhowdah PRIVATE "LINKER:--version-script=${howdah_map},-Bsymbolic-functions,--as-needed,-z,relro,-z,now")
set_target_properties(libhowdah_static PROPERTIES OUTPUT_NAME libhowdah EXPORT_NAME static)
if(HOWDAH_SANITIZE)
  target_link_options(libhowdah PRIVATE -fsanitize=${HOWDAH_SANITIZE})
else()
  target_link_options(libhowdah PRIVATE LINKER:--no-undefined)
endif()

install(TARGETS libhowdah EXPORT howdah-shared
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT development
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS libhowdah_static EXPORT howdah-static
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/howdah" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)

set(howdah_config_folder "${CMAKE_INSTALL_LIBDIR}/cmake/howdah")
foreach(kind shared static)
  install(EXPORT howdah-${kind} NAMESPACE howdah:: DESTINATION "${howdah_config_folder}" COMPONENT development)
endforeach()
configure_package_config_file("${CMAKE_SOURCE_DIR}/packaging/library/howdah-config.cmake.in" "${CMAKE_BINARY_DIR}/howdah-config.cmake"
  INSTALL_DESTINATION "${howdah_config_folder}")
# Before 1.0 a minor version may change what programs see.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/howdah-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/howdah-config.cmake" "${CMAKE_BINARY_DIR}/howdah-config-version.cmake"
  DESTINATION "${howdah_config_folder}" COMPONENT development)

file(RELATIVE_PATH howdah_pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
# `pkg-config --static howdah` asks for a static libpq too, which Debian's packages cannot link: hence a name of its own.
foreach(name howdah howdah-static)
  configure_file("${CMAKE_SOURCE_DIR}/packaging/library/${name}.pc.in" "${CMAKE_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${CMAKE_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
endforeach()

install(TARGETS howdah RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
