#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/repository.hpp"
#include "repository/verify.hpp"

namespace howdah::backup {

struct VerifyResult {
    std::vector<repository::Damage> damage;  ///< Of objects.
    std::vector<std::string> problems;       ///< Of backups: WAL missing, ledger differences.
    std::uint64_t objects = 0;
    base::Bytes bytes;
    std::size_t backups = 0;
    /// What was looked into, when that was asked for: frames of packs and WAL segments, their stored bytes, and pages.
    struct LookedInto {
        std::uint64_t frames = 0, frames_total = 0;
        base::Bytes bytes, bytes_total;
        std::uint64_t pages = 0;
        std::size_t without_checksums = 0;  ///< Backups of clusters without data checksums, whose pages nothing can check.
    };
    std::optional<LookedInto> looked_into;
    bool good() const { return damage.empty() && problems.empty(); }
};

/// Proves what is stored: every byte of every object authenticated, every manifest complete, the WAL of every backup there from start to
/// stop and without a gap to the newest archived segment of its timeline, the ledger in agreement. `cluster` empty: all. May run beside
/// anything else; `settle` as in repository/verify.hpp.
///
/// With a share it looks into the objects too (backup/inspect.hpp): every frame of packs and WAL segments that the share takes is unpacked
/// once and compared with its block hashes, pages are checked, records walked. Frames that a share below everything leaves out are
/// then not read at all; names, chains, manifests and directories always are.
VerifyResult verify(const repository::Repository& repository, const std::string& cluster, unsigned jobs,
                    const base::Cancellation& cancellation, std::chrono::seconds settle = repository::kSettle,
                    const std::optional<repository::Share>& share = std::nullopt);

}  // namespace howdah::backup
