#pragma once
#include <mpi.h>

#include <rwkv/core/error.hpp>

namespace rwkv::detail {

/// Error, which names the call and says in MPI's words what went wrong, unless that went well.
inline void expect_mpi(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int size = 0;
  MPI_Error_string(status, text, &size);
  throw Error("Mpi: ", call, ": ", std::string_view(text, static_cast<std::size_t>(size)));
}

}  // namespace rwkv::detail
