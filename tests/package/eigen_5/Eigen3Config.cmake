# Eigen 5 as far as CMake sees it: the headers that are there, and a version that answers as that of Eigen 5 does.
if(NOT TARGET Eigen3::Eigen)
  add_library(Eigen3::Eigen INTERFACE IMPORTED)
  target_include_directories(Eigen3::Eigen INTERFACE ${EIGEN_HEADERS})
endif()
