// expect: Dropout: the share that is dropped must lie between 0 and 100 percent
#include <rwkv/backend/cpu.hpp>
#include <rwkv/layers/dropout.hpp>

#ifdef RWKV_BAD
constexpr int percent = 100;
#else
constexpr int percent = 20;
#endif

static_assert(rwkv::Layer<rwkv::Dropout<32, percent>, rwkv::Cpu<float>>);
