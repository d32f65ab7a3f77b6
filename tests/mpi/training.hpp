#pragma once
#include <rwkv/distributed/mpi.hpp>

/// Training with dropout; Error at the first loss that is not that of one process.
void dropout(rwkv::Mpi& mpi);

/// NotFinite in all ranks, by a gradient that is not finite in one.
void not_finite(rwkv::Mpi& mpi);
