#pragma once

#include "train/offline/export_job.hpp"

namespace ballast::train {

/// Exports a model as a GGUF file, whose types follow from --dtype. Errors as export_model has
/// them. Collective.
[[nodiscard]] Exported export_gguf(const ExportJob& job);

}  // namespace ballast::train
