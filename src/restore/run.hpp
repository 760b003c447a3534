#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/repository.hpp"
#include "restore/plan.hpp"
#include "restore/recovery_settings.hpp"
#include "restore/separation.hpp"

namespace howdah::restore {

struct RestoreOptions {
    std::filesystem::path into;
    std::vector<std::string> tablespaces;            ///< Mappings: NAME=DIR, OID=DIR or OLDPATH=DIR.
    std::optional<std::filesystem::path> config_to;  ///< Where outside configuration goes; none: into the data directory.
    FetchCommand fetch;
    unsigned jobs = 0;
    bool archiving = false;        ///< Keep archive_mode: only for a server that takes the original's place. Two servers of one
                                   ///< system identifier that both archive would mix their timelines in the repository.
    std::optional<int> port = {};  ///< Written into the restored configuration.
    bool promote = true;
    std::vector<ForeignFolder> foreign = {};       ///< Folders that no destination may lie in.
    std::vector<std::filesystem::path> keep = {};  ///< Files and folders that lie in no directory whose files are removed.
    bool sandbox = false;                          ///< Tablespaces beside the directory; refuses WAL that creates tablespaces elsewhere.
    bool delta = false;                            ///< The directory may be an earlier copy of the cluster, which is brought to the backup.
    Role role = Role::primary;                     ///< A standby's plan has no target.
    std::string primary = {};                      ///< Connection string from which a standby streams; empty: it follows the archive only.
    std::optional<base::Bytes> limit = {};         ///< Bytes read or written below the destinations in a second.
};

struct RestoreResult {
    std::filesystem::path data_directory;
    std::uint64_t files = 0;
    base::Bytes bytes;
    base::Bytes compared, rewritten, fetched;  ///< See CopyResult.
    std::uint64_t removed = 0;
    double seconds = 0;
    std::vector<std::string> notes;
};

/// Refuses when replay would create a tablespace in a folder that this restore does not own: always in a sandbox, otherwise when that
/// folder is there and not empty (trap T16: the WAL's absolute path is outside every mapping; seen: the live cluster's folder was linked
/// and its table emptied).
void require_safe_tablespaces(const Plan& plan, bool sandbox);

/// Everything that run_restore refuses before it touches anything: the tablespaces above, mappings that fit none, destinations in use
/// or inside somebody else's folder, configuration that cannot go where --config-to says.
void check_restore(const repository::Repository& repository, const Plan& plan, const RestoreOptions& options);

/// Carries a plan out: destinations marked, files copied, configuration and recovery settings written, backup_label, and last of all
/// pg_control. Interrupted, the directory bears the mark, cannot be started, and a plain re-run compares what is there and goes on.
RestoreResult run_restore(const repository::Repository& repository, const Plan& plan, const RestoreOptions& options,
                          const base::Cancellation& cancellation);

}  // namespace howdah::restore
