#pragma once
// The front door: models, training, generation, text. Files of models (rwkv/io/save.hpp, load.hpp), training runs with
// a folder (rwkv/training/fit.hpp) and tables (rwkv/io/summary.hpp) are asked for by name: they cost time to compile.
#include <rwkv/backend/cpu.hpp>
#include <rwkv/inference/generator.hpp>
#include <rwkv/layers/recompute.hpp>
#include <rwkv/layers/tied.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/text/batches.hpp>
#include <rwkv/text/corpus.hpp>
#include <rwkv/training/trainer.hpp>
