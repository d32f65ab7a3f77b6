#pragma once
#include <rwkv/core/shape.hpp>
#include <rwkv/layers/linear.hpp>
