#pragma once
#include <rwkv/io/load.hpp>
#include <rwkv/io/save.hpp>

// Bundles to and from safetensors: every leaf is a tensor under its Path, with the extents of its View. A file may hold
// several bundles under different prefixes, such as "model." and "adam.m.".
