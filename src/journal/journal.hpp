#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace howdah::journal {

/// What came of an operation.
enum class Outcome { running, done, failed, refused, interrupted };
std::string word(Outcome outcome);

/// One line of the journal: an operation with its end, or its start when it never ended.
struct Entry {
    std::uint64_t number = 0;
    std::string operation;  ///< "backup run".
    std::string cluster;
    std::string repository;
    base::Timestamp start;
    std::optional<base::Timestamp> end;
    Outcome outcome = Outcome::running;
    std::string user, host;
    std::string message;  ///< What failed, or one sentence of what was done.
    std::string figures;  ///< JSON object of the operation's own figures.
    std::string hash;     ///< Of this entry, chained to the one before.
};

/// The record of what was done, in state/journal.db (SQLite). Start and end are two chained rows; each row's hash is SHA-256 over the
/// row before it and its own fields, so that a changed, missing or inserted row shows. Appends of several processes and users are
/// serialised by the database (BEGIN IMMEDIATE), so the chain cannot fork. A journal that cannot be opened or written is a loud
/// warning, never a failed operation: these calls do not throw.
class Journal {
public:
    explicit Journal(std::filesystem::path directory);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// An operation that is running; ends as `interrupted` unless finish() is called.
    class Operation {
    public:
        Operation(Operation&&) noexcept;
        ~Operation();
        void finish(Outcome outcome, const std::string& message, const std::string& figures = "{}");

    private:
        friend class Journal;
        struct Impl;
        explicit Operation(std::unique_ptr<Impl> impl);
        std::unique_ptr<Impl> impl_;
    };
    Operation begin(const std::string& operation, const std::string& cluster, const std::string& repository);

    /// Newest first; `operation` also matches as the first words ("backup" finds "backup run"). Open sums of the current hour come first,
    /// with number 0 because they are not chained yet. An operation without an end whose process on this host is gone is `interrupted`.
    /// Throws Failure(operation) when the journal cannot be read; without a journal the list is empty.
    std::vector<Entry> list(std::size_t limit, const std::string& operation = {}) const;
    /// Adds figures to the sums of the current hour for `key` (wal push counts segments so), without waiting: when the database is busy
    /// the figures are kept in a small file beside it and added by the next call.
    void add_hourly(const std::string& key, const std::string& cluster, std::uint64_t count, base::Bytes bytes);
    /// Walks the chain; each problem names the entry. Empty: intact. Throws Failure(operation) when the journal cannot be read. What it
    /// cannot detect is said in this folder's README.
    std::vector<std::string> verify() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace howdah::journal
