#include "journal/database.hpp"

#include <fmt/core.h>
#include <sqlite3.h>

#include <random>
#include <thread>
#include <utility>

namespace howdah::journal {

namespace {

std::string hint_for(int code) {
    switch (code) {
        case SQLITE_FULL: return "free space on the state directory's file system";
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_CANTOPEN: return "give the user that runs this command the right to write the state directory and the files in it";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "move journal.db* and journal.head aside and keep them as evidence; the next operation begins a new journal";
        case SQLITE_IOERR: return "look at the free space and the health of the state directory's file system";
        default: return "look at the state directory's journal.db";
    }
}

[[noreturn]] void fail(int code, const char* message, const std::filesystem::path& path) {
    const int primary = code & 0xff;
    std::string what = fmt::format("journal {} cannot be used: {}", path.string(), message);
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
        throw DatabaseBusy(base::FailureKind::operation, std::move(what),
                           "another process holds the journal; find it with: fuser " + path.string());
    throw base::Failure(base::FailureKind::operation, std::move(what), hint_for(primary));
}

}  // namespace

DatabaseBusy::~DatabaseBusy() = default;

Statement::Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)), path_(other.path_) {}
Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int parameter, std::int64_t value) {
    if (const int code = sqlite3_bind_int64(statement_, parameter, value); code != SQLITE_OK) fail(code, sqlite3_errstr(code), *path_);
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
    const int code =
        sqlite3_bind_text64(statement_, parameter, value.data() ? value.data() : "", value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    if (code != SQLITE_OK) fail(code, sqlite3_errstr(code), *path_);
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(code, sqlite3_errmsg(sqlite3_db_handle(statement_)), *path_);
    return false;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return bytes ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string();
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Database::Database(std::filesystem::path path, std::chrono::milliseconds wait) : path_(std::move(path)), wait_(wait) {
    const int code = sqlite3_open_v2(path_.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    try {
        if (code != SQLITE_OK) fail(code, handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code), path_);
        sqlite3_busy_handler(handle_, &Database::on_busy, this);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
        // One sync for a commit; a rollback journal takes five. The log stays when the last one closes, as folding it in would sync twice.
        sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        begin_log();
    } catch (...) {
        sqlite3_close(handle_);
        throw;
    }
}

Database::~Database() { sqlite3_close(handle_); }

// SQLite does not ask the busy handler while several connections make a new file's log at the same time.
void Database::begin_log() {
    for (int attempts = 0;; ++attempts) {
        try {
            return execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        } catch (const DatabaseBusy&) {
            if (on_busy(this, attempts) == 0) throw;
        }
    }
}

void Database::leave_syncing_to_later() { execute("PRAGMA synchronous = NORMAL"); }

void Database::fold_log() { execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

// SQLite's own timeout sleeps up to 100 ms between tries, which starves a writer among several busy ones. Short random naps do not.
int Database::on_busy(void* self, int attempts) {
    auto& database = *static_cast<Database*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (attempts == 0) database.busy_since_ = now;
    if (now - database.busy_since_ >= database.wait_) return 0;
    thread_local std::minstd_rand random{std::random_device{}()};
    std::this_thread::sleep_for(std::chrono::microseconds(500 + random() % 4000));
    return 1;
}

Statement Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) fail(code, sqlite3_errmsg(handle_), path_);
    return Statement(statement, path_);
}

void Database::execute(const std::string& sql) {
    if (const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
        fail(code, sqlite3_errmsg(handle_), path_);
}

std::int64_t Database::integer(std::string_view sql) {
    auto statement = prepare(sql);
    return statement.step() ? statement.integer(0) : 0;
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Transaction::Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
    if (committed_ || !database_.in_transaction()) return;
    try {
        database_.execute("ROLLBACK");
    } catch (const base::Failure&) {
        // Closing the connection undoes the transaction too.
    }
}

void Transaction::commit() {
    database_.execute("COMMIT");
    committed_ = true;
}

}  // namespace howdah::journal
