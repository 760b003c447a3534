#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "backup/stored_files.hpp"
#include "repository/inspection.hpp"

namespace howdah::backup {

/// Judges what a verification unpacked: pages of relation files by PostgreSQL's checksums, at the block that segment and offset give
/// (new pages have none; pages that the backup recorded as bad when it was taken, and files that are not made of pages, are left out),
/// and WAL segments by walking their records once more. A page whose checksum is wrong and was not recorded is a finding although its
/// bytes are the ones that were stored: whatever damaged it did so between the check on the way in and the seal.
class BackupInspector final : public repository::Inspector {
public:
    BackupInspector(const repository::Repository& repository, const std::string& cluster, const base::Cancellation& cancellation);

    std::unique_ptr<repository::PackVisit> visit_pack(const std::string& object) override;
    void lost(const std::string& object, std::uint32_t frame, std::uint32_t position, std::uint32_t length,
              const std::string& what) override;
    std::string segment(const std::string& name, std::span<const std::byte> bytes, const repository::WalTrailer& trailer) override;

    /// Pages whose bytes lie in two packs, after all objects were read: looks at those that the share takes.
    void check_split_pages(const repository::Share& share);

    std::uint64_t pages() const { return pages_; }
    std::size_t without_checksums() const { return files_.without_checksums(); }
    /// What was found, each with the backups that have it, the file and the block.
    std::vector<std::string> problems();
    /// What could not be read and so hid pages or files from the inspection. Whoever read all objects told of it, unless it comes and goes.
    const std::set<std::string>& passed_over() const { return passed_over_; }

private:
    class Visit;
    void add(const StoredFiles::Place& place, const std::string& what);

    const repository::Repository& repository_;
    const base::Cancellation& cancellation_;
    StoredFiles files_;
    std::atomic<std::uint64_t> pages_{0};
    std::mutex mutex_;
    std::map<StoredFiles::Place, std::string> found_;
    std::set<std::string> passed_over_;
};

}  // namespace howdah::backup
