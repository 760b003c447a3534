#pragma once

#include <vector>

#include "archive/wal_archive.hpp"
#include "postgres/block_changes.hpp"
#include "repository/names.hpp"

namespace howdah::archive {

/// The changes of whole stretches of WAL, merged into one object each: they make a week of WAL a few reads, and stay while a backup is kept
/// from whose start on an incremental may ask, even when the WAL has gone. Written only for stretches without a doubt, so that what a summary
/// says is all there is to say.

/// All stretches there are, sorted by where they begin.
std::vector<repository::SummaryName> list_summaries(const WalArchive& archive);
postgres::BlockChanges read_summary(const WalArchive& archive, const repository::SummaryName& name);
/// Nothing when it is there already, when there is a doubt, or when the stretch is empty.
void write_summary(const WalArchive& archive, const repository::SummaryName& name, const postgres::BlockChanges& changes);

}  // namespace howdah::archive
