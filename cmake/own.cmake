# How the library's own programs are compiled; none of this reaches a consumer.
add_library(rwkv_own INTERFACE)
# g++ 12 sees an impossible overlap in std::string (its bug 105651).
target_compile_options(rwkv_own INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra> $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wno-restrict>)
if(RWKV_NATIVE)
  target_compile_options(rwkv_own INTERFACE $<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-O3 -march=native>)
  # g++ 14 takes four times as long with it, 77 % of that in its second scheduling pass (on Zen 5); others do not.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 14
     AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
    target_compile_options(rwkv_own INTERFACE $<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-fno-schedule-insns2>)
  endif()
endif()
target_link_libraries(rwkv_own INTERFACE rwkv::io)

# Examples and benchmarks take options, and read Eigen's headers where no text is given.
if(RWKV_BUILD_EXAMPLES OR RWKV_BUILD_BENCHMARKS)
  rwkv_dependency(CLI11)
  add_library(rwkv_program INTERFACE)
  target_link_libraries(rwkv_program INTERFACE rwkv_own CLI11::CLI11)
  target_sources(rwkv_program INTERFACE ${PROJECT_SOURCE_DIR}/examples/checked_output.cpp)
  target_compile_definitions(rwkv_program INTERFACE RWKV_PROGRAM="$<TARGET_PROPERTY:NAME>"
    RWKV_EIGEN_DIR="$<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>")
endif()

# rwkv_lost_output_test(TARGET OPTIONS...): a program, run so that it prints something, must fail where that is lost.
function(rwkv_lost_output_test target)
  add_test(NAME lost_output.${target}
    COMMAND sh ${PROJECT_SOURCE_DIR}/examples/lost_output.sh $<TARGET_FILE:${target}> ${ARGN})
  set_tests_properties(lost_output.${target} PROPERTIES LABELS example TIMEOUT 300)
endfunction()

# The nets that they choose from.
if(RWKV_BUILD_EXAMPLES OR RWKV_BUILD_BENCHMARKS)
  include(cmake/program_models.cmake)
endif()

# Programs of which mpirun may start several, where they are built with MPI.
function(rwkv_program_of_ranks target)
  set(ranks ${PROJECT_SOURCE_DIR}/examples/ranks)
  if(TARGET rwkv::mpi)
    target_sources(${target} PRIVATE ${ranks}/mpi.cpp)
    target_link_libraries(${target} PRIVATE rwkv::mpi)
  else()
    target_sources(${target} PRIVATE ${ranks}/alone.cpp)
  endif()
endfunction()

# Programs that know --device have the GPU where CUDA was asked for; on the processor it would only cost their compilation.
function(rwkv_gpu_program target)
  if(RWKV_GPU_SYSTEM STREQUAL CUDA)
    target_link_libraries(${target} PRIVATE rwkv::gpu)
    rwkv_gpu_sources(${target})
  endif()
endfunction()

# The data that some tests and examples read; they do without when it is absent.
if(DEFINED ENV{RWKV_DATA})
  set(data $ENV{RWKV_DATA})
else()
  set(data ${PROJECT_SOURCE_DIR}/../shared)
endif()
set(RWKV_DATA ${data} CACHE PATH "Folder with the data some tests read, may be absent")

# `cmake --build build --target format` formats every file that git knows, and every new one.
find_program(RWKV_CLANG_FORMAT NAMES clang-format-14 clang-format)
if(RWKV_CLANG_FORMAT AND PROJECT_IS_TOP_LEVEL)
  add_custom_target(format
    COMMAND git ls-files -co --exclude-standard -- *.hpp *.cpp | xargs ${RWKV_CLANG_FORMAT} -i
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endif()
