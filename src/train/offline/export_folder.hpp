#pragma once

#include "train/offline/export_job.hpp"

namespace ballast::train {

/// Exports a model as a Hugging Face folder. Errors as export_model has them. Collective.
[[nodiscard]] Exported export_folder(const ExportJob& job);

}  // namespace ballast::train
