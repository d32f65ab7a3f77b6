#pragma once
// Gpu<T>, and the kernels that are written for it in blocks of threads. Include it wherever Gpu is used, before or
// after <rwkv/rwkv.hpp>: the calls of layers find the overloads of ops/gpu when they are instantiated, in every file
// the same.
#include <rwkv/backend/gpu.hpp>
#include <rwkv/ops/gpu.hpp>
#include <rwkv/training/gpu/adamw.hpp>
