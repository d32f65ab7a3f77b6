# rwkv::nccl, what <rwkv/distributed/nccl.hpp> needs besides a GPU and MPI: NVIDIA's NCCL, found beside the CUDA Toolkit, where the
# system has its libraries, or under NCCL_ROOT.
if(NOT DEFINED RWKV_NCCL)
  option(RWKV_NCCL "Provide rwkv::nccl, for programs of several GPUs" OFF)
endif()

if(RWKV_NCCL AND NOT TARGET rwkv::nccl)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${CUDAToolkit_LIBRARY_DIR})
  if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY AND TARGET rwkv::mpi AND RWKV_GPU_SYSTEM STREQUAL CUDA)
    add_library(rwkv_nccl INTERFACE)
    add_library(rwkv::nccl ALIAS rwkv_nccl)
    target_include_directories(rwkv_nccl SYSTEM INTERFACE ${NCCL_INCLUDE_DIR})
    target_link_libraries(rwkv_nccl INTERFACE rwkv::gpu rwkv::mpi ${NCCL_LIBRARY})
  else()
    message(WARNING "RWKV_NCCL is on, but there is no rwkv::nccl: it needs RWKV_GPU_SYSTEM=CUDA, found \"${RWKV_GPU_SYSTEM}\"; RWKV_MPI=ON, "
      "found \"${RWKV_MPI}\"; and NCCL, found \"${NCCL_INCLUDE_DIR}\" and \"${NCCL_LIBRARY}\" (NCCL_ROOT says where else).")
  endif()
endif()
