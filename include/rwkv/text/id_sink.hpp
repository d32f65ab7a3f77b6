#pragma once
#include <cstdint>
#include <span>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// Takes the tokens of a text, some at a time: refers to a function that must outlive it.
class IdSink {
 public:
  template <class Take>
  explicit IdSink(Take& take)
      : take_(&take), call_([](const void* f, std::span<const std::int32_t> ids) {
          (*static_cast<Take*>(const_cast<void*>(f)))(ids);
        }) {}

  void operator()(std::span<const std::int32_t> ids) const { call_(take_, ids); }

 private:
  const void* take_;
  void (*call_)(const void*, std::span<const std::int32_t>);
};

}  // namespace rwkv
