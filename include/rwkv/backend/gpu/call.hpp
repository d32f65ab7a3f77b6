#pragma once
#include <thrust/system_error.h>

#include <rwkv/core/error.hpp>

namespace rwkv::detail::gpu {

/// Makes a call of Thrust; what it throws becomes an Error that names the verb and, in Thrust's words, the CUDA call.
template <class Call>
decltype(auto) named(const char* verb, const Call& call) {
  try {
    return call();
  } catch (const thrust::system_error& error) {
    throw Error("Gpu::", verb, ": ", error.what(),
                "; a kernel that was started before may be the cause: run with CUDA_LAUNCH_BLOCKING=1 to learn which");
  }
}

}  // namespace rwkv::detail::gpu
