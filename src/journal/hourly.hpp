#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "journal/chain.hpp"

namespace howdah::journal {

/// The sums of one hour for one key of one cluster. They are open, and outside the chain, until the hour is over.
struct HourSum {
    std::string key, cluster;
    base::Timestamp hour;
    std::uint64_t count = 0;
    base::Bytes bytes;
};

base::Timestamp hour_of(base::Timestamp time);

/// Adds inside the caller's transaction.
void add_sum(Database& database, const HourSum& sum);
std::vector<HourSum> open_sums(Database& database);
bool has_past_hours(Database& database, base::Timestamp hour);
/// Appends every hour before `now`'s to the chain as a row made by `make`, inside the caller's transaction. The last head, if any.
std::optional<Head> close_hours(Database& database, base::Timestamp now, const Row& identity);

/// Keeps figures in a file of their own beside the database (journal.pending.*), for a time when it is busy. Waits for nothing.
void keep_pending(const std::filesystem::path& folder, const HourSum& sum);

/// Adds all kept figures inside one transaction, each exactly once even when the process is killed between the commit and the removal of
/// the files: names are remembered in the database until their file is gone. Use: fold() before the commit, remove() after it.
class PendingFold {
public:
    explicit PendingFold(std::filesystem::path folder) : folder_(std::move(folder)) {}
    bool any() const;
    void fold(Database& database);
    void remove() const;

private:
    std::filesystem::path folder_;
    std::vector<std::filesystem::path> folded_;
};

}  // namespace howdah::journal
