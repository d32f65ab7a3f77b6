# rwkv_compiles_nets(TARGET): the target's program can compile a net that it was not given, when it is asked for one (see
# rwkv/registry/compile_net.hpp): it gets a unit that says how the target is compiled, and shows its functions to what it links then.
# The target is the program, or an object library that is linked to it.
function(rwkv_compiles_nets target)
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
  foreach(up .. ../../..)  # in the source, and where it is installed
    get_filename_component(candidate ${here}/${up}/include ABSOLUTE)
    if(EXISTS ${candidate}/rwkv/registry/compile_net.hpp)
      set(headers ${candidate})
    endif()
  endforeach()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}_compiler)
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${headers}/rwkv/*.hpp)
  add_custom_command(OUTPUT ${folder}/digest.hpp DEPENDS ${all} ${here}/headers_digest.cmake VERBATIM
    COMMAND ${CMAKE_COMMAND} -DHEADERS=${headers} -DOUTPUT=${folder}/digest.hpp -P ${here}/headers_digest.cmake)

  # Flags as CMake puts them together: for all, for the configuration, of the target. CUDA's are another language's.
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_COMPILER_ARG1} ${CMAKE_CXX_FLAGS}")
  foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES CMAKE_BUILD_TYPE)
    string(TOUPPER "${config}" upper)
    separate_arguments(more UNIX_COMMAND "${CMAKE_CXX_FLAGS_${upper}}")
    foreach(flag IN LISTS more)
      list(APPEND flags "$<$<CONFIG:${config}>:${flag}>")
    endforeach()
  endforeach()
  if(DEFINED CMAKE_CXX_EXTENSIONS AND NOT CMAKE_CXX_EXTENSIONS)
    list(APPEND flags ${CMAKE_CXX20_STANDARD_COMPILE_OPTION})
  else()
    list(APPEND flags ${CMAKE_CXX20_EXTENSION_COMPILE_OPTION})
  endif()
  set(next ")rwkv\"$<COMMA>\n           R\"rwkv(")
  set(words "$<JOIN:${flags},${next}>")
  string(APPEND words "${next}$<JOIN:$<TARGET_PROPERTY:${target},COMPILE_OPTIONS>,${next}>")
  foreach(kind -D=COMPILE_DEFINITIONS -I=INCLUDE_DIRECTORIES)
    string(SUBSTRING ${kind} 0 2 option)
    string(SUBSTRING ${kind} 3 -1 property)
    set(list $<TARGET_PROPERTY:${target},${property}>)
    string(APPEND words "${next}$<$<BOOL:${list}>:${option}>$<JOIN:${list},${next}${option}>")
  endforeach()
  file(GENERATE OUTPUT ${folder}/$<CONFIG>/compiler_$<COMPILE_LANGUAGE>.cpp CONTENT
"#include <rwkv/registry/net_compiler.hpp>

#include \"../digest.hpp\"

namespace {
[[maybe_unused]] const bool known =
    (rwkv::NetCompiler::of_program() = rwkv::NetCompiler{
         R\"rwkv(${CMAKE_CXX_COMPILER})rwkv\",
         {R\"rwkv(${words})rwkv\"},
         R\"rwkv(${headers})rwkv\",
         headers_digest},
     true);
}
")
  set_source_files_properties(${folder}/$<CONFIG>/compiler_CXX.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${folder}/$<CONFIG>/compiler_CXX.cpp ${folder}/digest.hpp)
  target_link_libraries(${target} PUBLIC ${CMAKE_DL_LIBS})
  target_link_options(${target} PUBLIC -rdynamic)
endfunction()
