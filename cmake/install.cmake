# Install rules, so that find_package(rwkv [COMPONENTS io gpu mpi nccl]) works.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(where ${CMAKE_INSTALL_DATADIR}/cmake/rwkv)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/rwkv DESTINATION include FILES_MATCHING PATTERN *.hpp)
install(TARGETS rwkv rwkv_io EXPORT rwkv)
install(EXPORT rwkv FILE rwkvTargets.cmake NAMESPACE rwkv:: DESTINATION ${where})

write_basic_package_version_file(${PROJECT_BINARY_DIR}/rwkvConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/rwkvConfigVersion.cmake DESTINATION ${where})
foreach(file rwkvConfig gpu mpi nccl models compiles_nets headers_digest)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/${file}.cmake DESTINATION ${where})
endforeach()
