#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/cancellation.hpp"
#include "base/file.hpp"
#include "base/units.hpp"
#include "repository/manifest.hpp"

namespace howdah::backup {

/// How long the workers of one backup may wait together for pages to come right, so that a disk full of bad pages does not hold it up
/// for hours. Thread-safe.
class WaitBudget {
public:
    explicit WaitBudget(base::Duration total) : left_(total.count()) {}
    /// Takes that much; false when it is not left.
    bool take(base::Duration wait);

private:
    std::atomic<base::Duration::rep> left_;
};

struct PageFindings {
    std::vector<repository::RecordedBadPage> bad;  ///< Pages whose checksum stayed wrong.
    std::uint64_t hurried = 0;  ///< Of them those that were looked at again for a shorter time than the rule says: the budget was used up.
};

/// Checks the whole pages among the bytes just read at `file_offset` of a relation file that begins with block `first_block`. A page with
/// a wrong checksum may have been read while it was written (trap T11); then the WAL since the backup's start holds a full image of it and
/// recovery repairs it. So all such pages among the bytes are read again together, at once and then five times over about a third of
/// a second, into their places in `bytes`, until they are right, so that what is stored is whole whenever it can be; one that never was,
/// but whose bytes differed between two readings, is under a writer's hands and settles too. Bytes that stay wrong are corruption. The
/// LSN of a torn page proves nothing and is not trusted.
void check_pages_read(const base::File& file, std::span<std::byte> bytes, std::uint64_t file_offset, std::uint32_t first_block,
                      WaitBudget& waits, PageFindings& findings, const base::Cancellation& cancellation);

}  // namespace howdah::backup
