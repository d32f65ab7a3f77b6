# rwkv::gpu, what <rwkv/backend/gpu.hpp> needs: Thrust, from a CUDA Toolkit or Debian's libthrust-dev, set to the system that
# RWKV_GPU_SYSTEM names. A program has one. With CUDA, rwkv_gpu_sources(target) has nvcc compile the target's sources.
set(RWKV_GPU_SYSTEM "" CACHE STRING "What Gpu computes on: CUDA, or the processor by OMP, TBB or CPP; empty: nothing")
set_property(CACHE RWKV_GPU_SYSTEM PROPERTY STRINGS "" CUDA OMP TBB CPP)

function(rwkv_gpu_sources target)
  if(RWKV_GPU_SYSTEM STREQUAL CUDA)
    get_target_property(sources ${target} SOURCES)
    set_source_files_properties(${sources} PROPERTIES LANGUAGE CUDA)
  endif()
endfunction()

if(RWKV_GPU_SYSTEM STREQUAL CUDA)
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)
elseif(RWKV_GPU_SYSTEM)
  find_package(CUDAToolkit QUIET)
endif()
if(RWKV_GPU_SYSTEM AND NOT TARGET rwkv::gpu)
  find_package(Thrust CONFIG QUIET HINTS ${CUDAToolkit_LIBRARY_DIR}/cmake)
  if(Thrust_FOUND AND Thrust_VERSION VERSION_GREATER_EQUAL 1.17)
    thrust_create_target(rwkv_thrust HOST CPP DEVICE ${RWKV_GPU_SYSTEM})
    add_library(rwkv_gpu INTERFACE)
    add_library(rwkv::gpu ALIAS rwkv_gpu)
    target_link_libraries(rwkv_gpu INTERFACE rwkv::rwkv rwkv_thrust)
    if(RWKV_GPU_SYSTEM STREQUAL CUDA)
      target_link_libraries(rwkv_gpu INTERFACE CUDA::cublas CUDA::cublasLt)
      # The standard by hand, as CMake 3.25 does not know CUDA 13's; kernels call constexpr functions of the standard library;
      # pragmas for g++ alone are no news.
      target_compile_options(rwkv_gpu INTERFACE
        $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20 --expt-relaxed-constexpr -diag-suppress=1675>)
    endif()
  else()
    message(WARNING "RWKV_GPU_SYSTEM is ${RWKV_GPU_SYSTEM}, but no Thrust of 1.17 or newer was found, so there is no rwkv::gpu. Install a CUDA "
      "Toolkit or libthrust-dev, or say where its CMake files are with Thrust_DIR.")
  endif()
endif()
