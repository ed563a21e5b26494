#pragma once

#include <filesystem>
#include <string>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Everything outside the configuration that can change the bits of a training: the matrix library
/// with its version and instruction set, and whether denormals are flushed. Kernels of this project
/// are not in it, since they compute the same bits on every instruction set.
[[nodiscard]] std::string numerics_fingerprint(const kernels::Gemm& gemm);

/// The gemm table of a run that resumes `checkpoint`: that of run.gemm_table, or else that of the
/// checkpoint, so that its bits continue. A data Error names the manifest and the line that this
/// program does not know. With checkpoint.numerics = any the checkpoint's table is not read.
/// Collective.
[[nodiscard]] kernels::GemmTable resumed_gemm_table(comm::Communicator& world, const Config& config,
                                                    const std::filesystem::path& checkpoint);

/// Throws a data Error that lists the fingerprint of each rank if the ranks would compute different
/// bits. Collective.
void require_same_numerics(comm::Communicator& world, const std::string& own);

}  // namespace ballast::train
