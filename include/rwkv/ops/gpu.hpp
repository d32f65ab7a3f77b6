#pragma once
// What is written for machines that launch blocks of threads: overloads of ops, found where a layer is instantiated.
#include <rwkv/ops/gpu/attention.hpp>
#include <rwkv/ops/gpu/cross_entropy.hpp>
#include <rwkv/ops/gpu/embedding.hpp>
#include <rwkv/ops/gpu/layer_norm.hpp>
#include <rwkv/ops/gpu/norm.hpp>
#include <rwkv/ops/gpu/token_shift.hpp>
