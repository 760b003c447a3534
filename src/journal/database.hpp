#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/failure.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace howdah::journal {

/// The database was locked by another connection for longer than the wait allowed.
class DatabaseBusy : public base::Failure {
public:
    using base::Failure::Failure;
    ~DatabaseBusy() override;
};

/// A prepared statement; parameters count from 1, columns from 0. Lives shorter than its database.
class Statement {
public:
    Statement(Statement&& other) noexcept;
    ~Statement();

    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, std::string_view value);
    /// True while there is a row.
    bool step();
    std::int64_t integer(int column) const;
    std::string text(int column) const;
    bool is_null(int column) const;

private:
    friend class Database;
    Statement(sqlite3_stmt* statement, const std::filesystem::path& path) : statement_(statement), path_(&path) {}
    sqlite3_stmt* statement_;
    const std::filesystem::path* path_;
};

/// One connection to an existing SQLite file. Every error is base::Failure(operation) with the file in its text, a lock held elsewhere is
/// DatabaseBusy. Used by one thread; several connections of one process do not disturb each other. Write-ahead log with full syncs: a commit is
/// durable after one sync, and a killed writer's half transaction is passed over. The log (path + "-wal") and its index ("-shm") stay;
/// who makes them must give them the database's owner and mode, so that another user can continue. Triggers and views in the file are
/// never run.
class Database {
public:
    Database(std::filesystem::path path, std::chrono::milliseconds wait);
    ~Database();
    /// Commits survive this process, and a power cut once somebody syncs: for what may be forgotten.
    void leave_syncing_to_later();
    /// Writes everything from the log (path + "-wal") into the database's file.
    void fold_log();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Statement prepare(std::string_view sql);
    /// Several statements separated by semicolons.
    void execute(const std::string& sql);
    std::int64_t integer(std::string_view sql);
    bool in_transaction() const;
    const std::filesystem::path& path() const { return path_; }

private:
    void begin_log();
    static int on_busy(void* self, int attempts);
    std::filesystem::path path_;
    std::chrono::milliseconds wait_;
    std::chrono::steady_clock::time_point busy_since_;
    sqlite3* handle_ = nullptr;
};

/// BEGIN IMMEDIATE: from here on no other connection can write. Rolled back unless committed.
class Transaction {
public:
    explicit Transaction(Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Database& database_;
    bool committed_ = false;
};

}  // namespace howdah::journal
