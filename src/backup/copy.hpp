#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "backup/file_list.hpp"
#include "backup/file_plan.hpp"
#include "backup/pieces.hpp"
#include "base/cancellation.hpp"
#include "base/progress.hpp"
#include "base/rate_limit.hpp"
#include "base/units.hpp"
#include "repository/repository.hpp"

namespace howdah::backup {

struct CopyOptions {
    unsigned jobs = 2;
    int compression_level = 1;
    bool verify_pages = true;                              ///< The cluster has data checksums.
    base::Duration page_waits = std::chrono::seconds(20);  ///< For all pages that look wrong, over all workers together.
    base::RateLimit* limit = nullptr;                      ///< Of what is read; null for none.
};

struct CopyResult {
    std::vector<Piece> pieces;  ///< For join_pieces().
    base::Bytes read;
    base::Bytes stored;
};

/// Copies the listed files into packs: one pass over the data, each worker with its own pack, taking the next piece of work from one
/// counter, so that none waits for another. Large files are cut into pieces that different workers may take. When it returns every pack
/// is durable. The first failure stops all workers and is thrown. `plans`, one for each file and none of them `compare`, say what is to be
/// read and what is where the parent stored it; without any, every file is copied whole.
CopyResult copy_files(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files,
                      const std::vector<FilePlan>& plans, const CopyOptions& options, base::Progress& progress,
                      const base::Cancellation& cancellation);

}  // namespace howdah::backup
