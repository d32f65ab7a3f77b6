# Install rules, so that find_package(rwkv [COMPONENTS io gpu mpi nccl]) works.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(where ${CMAKE_INSTALL_DATADIR}/cmake/rwkv)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/rwkv DESTINATION include FILES_MATCHING PATTERN *.hpp)
install(TARGETS rwkv rwkv_io EXPORT rwkv)
install(EXPORT rwkv FILE rwkvTargets.cmake NAMESPACE rwkv:: DESTINATION ${where})

write_basic_package_version_file(${PROJECT_BINARY_DIR}/rwkvConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/rwkvConfig.cmake ${PROJECT_SOURCE_DIR}/cmake/gpu.cmake ${PROJECT_SOURCE_DIR}/cmake/mpi.cmake ${PROJECT_SOURCE_DIR}/cmake/models.cmake
  ${PROJECT_SOURCE_DIR}/cmake/compiles_nets.cmake ${PROJECT_SOURCE_DIR}/cmake/headers_digest.cmake
  ${PROJECT_BINARY_DIR}/rwkvConfigVersion.cmake
  DESTINATION ${where})
