# rwkv::mpi, what <rwkv/distributed/mpi.hpp> needs: any MPI that CMake's FindMPI finds (MPI_HOME, MPI_CXX_COMPILER).
if(NOT DEFINED RWKV_MPI)
  option(RWKV_MPI "Provide rwkv::mpi, for programs of several processes" OFF)
endif()

if(RWKV_MPI AND NOT TARGET rwkv::mpi)
  set(MPI_CXX_SKIP_MPICXX ON)  # C's functions are all that is called
  find_package(MPI QUIET COMPONENTS CXX)
  if(MPI_CXX_FOUND)
    add_library(rwkv_mpi INTERFACE)
    add_library(rwkv::mpi ALIAS rwkv_mpi)
    target_link_libraries(rwkv_mpi INTERFACE rwkv::rwkv MPI::MPI_CXX)
  else()
    message(WARNING "RWKV_MPI is on, but no MPI was found, so there is no rwkv::mpi. Install one, as libopenmpi-dev or libmpich-dev, "
      "or name its compiler in MPI_CXX_COMPILER.")
  endif()
endif()
