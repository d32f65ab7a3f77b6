# rwkv_models(TARGET [HEADERS file.hpp ...] [PRECISIONS fp32 bf16] TYPES "v4::Model<65536, 768, 12>" ...): adds nets to the
# registry of a program (see rwkv/registry). Each type is compiled in a unit of its own, for the precisions named, by default
# both, and for the GPU where the target was linked to rwkv::gpu before; names are looked up in namespace rwkv. HEADERS declare types
# of your own.
function(rwkv_models target)
  cmake_parse_arguments(R "" "" "HEADERS;PRECISIONS;TYPES" ${ARGN})
  if(R_UNPARSED_ARGUMENTS OR NOT R_TYPES)
    message(FATAL_ERROR "rwkv_models(${target} ...): expected TYPES and the types after it, found \"${R_UNPARSED_ARGUMENTS}\"")
  endif()
  if(NOT R_PRECISIONS)
    set(R_PRECISIONS fp32 bf16)
  endif()
  set(precisions)
  foreach(precision IN LISTS R_PRECISIONS)
    if(precision STREQUAL fp32)
      string(APPEND precisions ", float")
    elseif(precision STREQUAL bf16)
      string(APPEND precisions ", bf16")
    else()
      message(FATAL_ERROR "rwkv_models(${target} ...): PRECISIONS are fp32 and bf16, found ${precision}")
    endif()
  endforeach()
  get_target_property(kind ${target} TYPE)
  if(kind STREQUAL STATIC_LIBRARY)
    message(FATAL_ERROR "rwkv_models(${target} ...): a linker leaves such units out of a static library; use the program, or an OBJECT library")
  endif()
  get_target_property(linked ${target} LINK_LIBRARIES)
  set(includes "#include <rwkv/models/families.hpp>\n#include <rwkv/registry/register_net.hpp>\n")
  foreach(header IN LISTS R_HEADERS)
    get_filename_component(header ${header} ABSOLUTE)
    string(APPEND includes "#include \"${header}\"\n")
  endforeach()
  foreach(type IN LISTS R_TYPES)
    string(REGEX REPLACE "[^<]" "" opened "${type}")
    string(REGEX REPLACE "[^>]" "" closed "${type}")
    string(LENGTH "${opened}" opened)
    string(LENGTH "${closed}" closed)
    if(NOT opened EQUAL closed)
      message(FATAL_ERROR "rwkv_models(${target} ...): \"${type}\" is no whole type; write each type in quotes")
    endif()
    string(MD5 hash "${type}")
    string(SUBSTRING ${hash} 0 6 hash)
    string(REGEX REPLACE "[^A-Za-z0-9]+" "_" name "${type}_${hash}")
    set(unit ${CMAKE_CURRENT_BINARY_DIR}/${target}_models/${name}.cpp)
    file(CONFIGURE OUTPUT ${unit} @ONLY CONTENT
"@includes@
namespace rwkv {
namespace {
const RegisterNet<@type@@precisions@> net(\"@type@\");
}
}  // namespace rwkv
")
    target_sources(${target} PRIVATE ${unit})
    if(RWKV_GPU_SYSTEM STREQUAL CUDA AND "rwkv::gpu" IN_LIST linked)
      set_source_files_properties(${unit} PROPERTIES LANGUAGE CUDA)
    endif()
  endforeach()
endfunction()
