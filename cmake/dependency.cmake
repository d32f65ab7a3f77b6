# rwkv_dependency(NAME): makes a library listed in dependencies.cmake usable. The installed package comes first; without it
# (or with FETCHCONTENT_SOURCE_DIR_<NAME> set) the pinned source is used. Header-only sources become an imported target,
# their own build files stay unread.
include(FetchContent)

function(rwkv_dependency name)
  cmake_parse_arguments(D "" "VERSION;TARGET;GIT;TAG;HEADERS" "" ${rwkv_${name}})
  if(TARGET ${D_TARGET})
    return()
  endif()
  set(subdir)
  if(D_HEADERS)
    set(subdir SOURCE_SUBDIR headers-only)
  endif()
  FetchContent_Declare(${name} GIT_REPOSITORY ${D_GIT} GIT_TAG ${D_TAG} GIT_SHALLOW ON ${subdir}
    FIND_PACKAGE_ARGS ${D_VERSION} QUIET GLOBAL)
  FetchContent_MakeAvailable(${name})
  if(D_HEADERS AND NOT TARGET ${D_TARGET})
    string(TOLOWER ${name} lower)
    message(STATUS "${name}: headers of ${${lower}_SOURCE_DIR}")
    add_library(${D_TARGET} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${D_TARGET} INTERFACE ${${lower}_SOURCE_DIR}/${D_HEADERS})
  endif()
endfunction()
