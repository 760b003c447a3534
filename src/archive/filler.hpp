#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "archive/file_pusher.hpp"
#include "archive/wal_archive.hpp"

namespace howdah::archive {

/// Copies a segment as it is stored, frame by frame: authenticated, not unpacked, and sealed anew. Both archives are of one system identifier
/// (Failure(operation) otherwise), and the first page is looked at like that of any segment. A name that is taken is compared; Different
/// when it holds other bytes. False when `from` does not have it.
bool copy_segment(const WalArchive& from, WalArchive& to, const std::string& name, repository::SealContext& context);

/// Where a file that an archive lacked came from.
enum class FilledFrom { nowhere, pg_wal, archive };

/// Gives an archive what it lacks: from pg_wal while the finished file is there, else from another archive. Thread-safe with a worker for
/// each thread.
class Filler {
public:
    /// `data_directory` empty: there is no pg_wal to take from. The archives are of one cluster and system identifier.
    Filler(std::vector<WalArchive*> archives, std::filesystem::path data_directory, std::uint64_t segment_size);

    /// Durable when it returns, unless it is `nowhere`. Different when `to` holds other bytes under the name; Failure(operation) when another
    /// archive's copy cannot be shown to be of the same history (require_one_history).
    FilledFrom fill(WalArchive& to, const std::string& name, PushWorker& worker);

    /// A server that was taken back writes other WAL under the same names (trap T17). Before a segment is taken from another archive, the
    /// nearest ones that both hold on its timeline, below and above, must be of the same bytes, and the timeline's history of the same text;
    /// two archives with nothing of a timeline in common are not of one history unless `to` holds nothing of it. Failure(operation)
    /// naming what differs.
    void require_one_history(const WalArchive& from, const WalArchive& to, const std::string& segment, repository::SealContext& context);

private:
    bool fill_from_pg_wal(WalArchive& to, const std::string& name, PushWorker& worker);
    bool fill_from(const WalArchive& from, WalArchive& to, const std::string& name, PushWorker& worker);
    const std::set<std::string>& names_of(const WalArchive& archive, base::Timeline timeline);
    void require_same(const WalArchive& from, const WalArchive& to, const std::string& name, repository::SealContext& context);

    std::vector<WalArchive*> archives_;
    std::filesystem::path data_directory_;
    std::uint64_t segment_size_;
    FilePusher pusher_;
    std::mutex mutex_;
    std::map<std::pair<const WalArchive*, base::Timeline>, std::set<std::string>> names_;  ///< As they were at the first look.
    std::set<std::string> same_;  ///< Compared already: both archives' repositories and the name.
};

/// Brings one segment to an archive from the first of these repositories that can be opened and has it; false when none does. Failure as
/// Filler::fill gives it. A repository that cannot be opened is a warning.
bool fill_from_others(const std::vector<base::RepositoryConfig>& others, WalArchive& to, const std::string& name,
                      std::uint64_t segment_size);

}  // namespace howdah::archive
