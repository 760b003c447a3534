#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/cancellation.hpp"
#include "base/progress.hpp"
#include "base/rate_limit.hpp"
#include "restore/layout.hpp"

namespace howdah::restore {

/// What the workers counted; added to from all of them.
struct ScatterFigures {
    std::atomic<std::uint64_t> compared{0};   ///< Plain bytes of files that were there.
    std::atomic<std::uint64_t> rewritten{0};  ///< Plain bytes written.
    std::atomic<std::uint64_t> fetched{0};    ///< Stored bytes of data frames that were read for it.
};

struct ScatterRequest {
    const repository::Repository& repository;
    const repository::ClusterArea& area;
    unsigned jobs = 1;
    base::RateLimit& limit;  ///< Of bytes read from or written to the files.
    base::Progress& progress;
    const base::Cancellation& cancellation;
};

/// Brings the bytes of the layout's files to the backup's, all workers busy to the end. Of a file that was there (Output::present) each 8 KiB
/// of a frame is compared by its keyed hash, read from the pack, and only a frame that holds a block which differs is fetched; only such
/// blocks are written. Nothing but bytes is trusted: no time, no size, no LSN (trap T20). A block that differs, or is new, is fetched;
/// one that small files share is then compared byte by byte. `control` holds the bytes that pg_control had, and has the backup's
/// afterwards. Takes the layout's packs.
void scatter(const ScatterRequest& request, Layout& layout, std::string& control, ScatterFigures& figures);

}  // namespace howdah::restore
