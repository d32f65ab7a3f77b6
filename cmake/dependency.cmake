# rwkv_dependency(NAME): makes a library listed in dependencies.cmake usable. The installed package comes first; without it
# (or with FETCHCONTENT_SOURCE_DIR_<NAME> set) the pinned source is used. Header-only sources become an imported target,
# their own build files stay unread. No version is asked of find_package, since packages differ in what they call compatible
# (Eigen 3.4 and 5 each refuse a request for the other): the oldest that will do is checked here.
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
    FIND_PACKAGE_ARGS QUIET GLOBAL)
  FetchContent_MakeAvailable(${name})
  if(${name}_FOUND AND ${name}_VERSION VERSION_LESS D_VERSION)
    message(FATAL_ERROR "rwkv: expected ${name} ${D_VERSION} or newer, found ${${name}_VERSION} in ${${name}_DIR}; install a "
      "newer one, name its folder in ${name}_DIR, or set FETCHCONTENT_TRY_FIND_PACKAGE_MODE=NEVER to have it fetched")
  endif()
  if(D_HEADERS AND NOT TARGET ${D_TARGET})
    string(TOLOWER ${name} lower)
    message(STATUS "${name}: headers of ${${lower}_SOURCE_DIR}")
    add_library(${D_TARGET} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${D_TARGET} INTERFACE ${${lower}_SOURCE_DIR}/${D_HEADERS})
  endif()
endfunction()
