#pragma once
// Gpu<T>, and the kernels that are written for it in blocks of threads. Include it wherever Gpu is used, before or
// after <rwkv/rwkv.hpp>: the calls of layers find the overloads of ops/gpu when they are instantiated, in every file
// the same.
#include <rwkv/backend/gpu.hpp>
#include <rwkv/ops/gpu/attention.hpp>
#include <rwkv/ops/gpu/cross_entropy.hpp>
#include <rwkv/ops/gpu/embedding.hpp>
#include <rwkv/ops/gpu/layer_norm.hpp>
#include <rwkv/ops/gpu/norm.hpp>
#include <rwkv/ops/gpu/token_shift.hpp>
#include <rwkv/ops/gpu/wkv4.hpp>
#include <rwkv/training/gpu/adamw.hpp>
