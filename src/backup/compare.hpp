#pragma once

#include <vector>

#include "backup/copy.hpp"
#include "backup/file_plan.hpp"
#include "base/cancellation.hpp"
#include "base/units.hpp"
#include "repository/repository.hpp"

namespace howdah::backup {

/// Reads every file whose plan is `compare` beside what the parent stored, pack by pack, and makes the plan `parts`, of the pages that
/// differ, or `whole` where the file is small or was cut meanwhile. Every stored byte that is looked at was authenticated. Gives how much
/// was read of the cluster. The first failure stops all workers and is thrown.
base::Bytes compare_files(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files,
                          std::vector<FilePlan>& plans, const CopyOptions& options, const base::Cancellation& cancellation);

}  // namespace howdah::backup
