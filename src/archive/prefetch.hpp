#pragma once

#include "archive/fetch.hpp"
#include "archive/look_ahead.hpp"
#include "base/config.hpp"

namespace howdah::archive {

/// Starts a detached process (its own session, no inherited descriptors, no output) that fills the look-ahead folder with the segments
/// after `current`, unless at least half of them are there or another one runs. It ends at the first segment that is not archived, at any
/// failure, when the file system gets full, or when `ahead` segments wait. Failing to start it is no failure.
void start_prefetch(const base::RepositoryConfig& repository, const FetchOptions& options, const LookAhead& look_ahead,
                    const postgres::WalSegment& current, std::uint64_t segment_size);

/// What that process does.
void prefetch(const base::RepositoryConfig& repository, const FetchOptions& options, std::uint64_t segment_size);

}  // namespace howdah::archive
