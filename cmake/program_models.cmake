# The nets that our programs (train_text, write, evaluate, chat, train_speed, decode_speed) choose from, compiled once for all of
# them. -DRWKV_PROGRAM_MODELS is another list, of types and of what cmake/released_models.cmake names: "v4::Model<128, 128, 4>" for a
# first look, "usual;rwkv7-0.1b" for one more. Other nets the programs compile when they are asked for with --compile.
include(cmake/released_models.cmake)
set(RWKV_PROGRAM_MODELS "" CACHE STRING "Nets of the programs: types, usual, released, or names of released models; empty: usual")
set(usual_models
  "v4::Model<128, 128, 4>"
  "v4::Model<256, 128, 4>"
  "v4::Model<128, 384, 6>"
  "v4::Model<256, 384, 6>"
  "v4::Model<128, 768, 12>"
  "v4::Model<256, 768, 12>"
  "v4::Model<50277, 768, 12>"
  "v5::Model<128, 128, 4>"
  "v5::Model<128, 384, 6>"
  "v5::Model<128, 768, 12>"
  "v6::Model<128, 128, 4>"
  "v6::Model<128, 384, 6>"
  "v6::Model<128, 768, 12>"
  "v7::Model<128, 128, 4>"
  "v7::Model<256, 128, 4>"
  "v7::Model<128, 384, 6>"
  "v7::Model<256, 384, 6>"
  "v7::Model<128, 768, 12>"
  "v7::Model<256, 768, 12>"
  "v7::Model<65536, 768, 12>"
  "gpt2::Model<128, 128, 4, 2, 256>"
  "gpt2::Model<256, 128, 4, 2, 256>"
  "gpt2::Model<128, 384, 6, 6, 256>"
  "gpt2::Model<256, 384, 6, 6, 256>"
  "gpt2::Model<128, 768, 12, 12, 256>"
  "gpt2::Model<256, 768, 12, 12, 256>")
if(RWKV_PROGRAM_MODELS)
  rwkv_types_of(program_models ${RWKV_PROGRAM_MODELS})
else()
  rwkv_types_of(program_models usual)
endif()

add_library(rwkv_program_models OBJECT EXCLUDE_FROM_ALL)
target_link_libraries(rwkv_program_models PUBLIC rwkv_own)
if(RWKV_GPU_SYSTEM STREQUAL CUDA)
  target_link_libraries(rwkv_program_models PUBLIC rwkv::gpu)
endif()
rwkv_models(rwkv_program_models TYPES ${program_models})
rwkv_compiles_nets(rwkv_program_models)
list(LENGTH program_models models)
if(NOT RWKV_GPU_SYSTEM STREQUAL CUDA AND models GREATER 8)  # CUDA's are nvcc's; for few it takes longer to compile than it saves
  target_precompile_headers(rwkv_program_models PRIVATE <rwkv/models/families.hpp> <rwkv/registry/register_net.hpp>)
endif()
