# The nets that our programs (train_text, write, train_speed, decode_speed) choose from, compiled once for all of them. A net is a
# line here; -DRWKV_PROGRAM_MODELS="v4::Model<128, 128, 4>" is another list, as a short one for a first look.
set(RWKV_PROGRAM_MODELS "" CACHE STRING "Nets of the programs, by their types; empty: those of cmake/program_models.cmake")
set(program_models
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
  set(program_models ${RWKV_PROGRAM_MODELS})
endif()

add_library(rwkv_program_models OBJECT EXCLUDE_FROM_ALL)
target_link_libraries(rwkv_program_models PUBLIC rwkv_own)
if(RWKV_GPU_SYSTEM STREQUAL CUDA)
  target_link_libraries(rwkv_program_models PUBLIC rwkv::gpu)
endif()
rwkv_models(rwkv_program_models TYPES ${program_models})
target_precompile_headers(rwkv_program_models PRIVATE
  $<$<COMPILE_LANGUAGE:CXX>:<rwkv/models/families.hpp$<ANGLE-R>> $<$<COMPILE_LANGUAGE:CXX>:<rwkv/registry/register_net.hpp$<ANGLE-R>>)
