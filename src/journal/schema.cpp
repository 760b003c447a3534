#include "journal/schema.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"
#include "base/random.hpp"

namespace howdah::journal {

namespace {

using base::FailureKind;

/// "Hwdh": tells a journal from any other SQLite file.
constexpr int kApplicationId = 0x48776468;

constexpr const char* kTables = R"(
CREATE TABLE entry (
    number     INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    started_by INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    end_time   INTEGER NOT NULL,
    operation  TEXT NOT NULL,
    cluster    TEXT NOT NULL,
    repository TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    user       TEXT NOT NULL,
    host       TEXT NOT NULL,
    process    TEXT NOT NULL,
    message    TEXT NOT NULL,
    figures    TEXT NOT NULL,
    hash       TEXT NOT NULL);
CREATE UNIQUE INDEX entry_end ON entry (started_by) WHERE kind = 'end' AND started_by > 0;
CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE TABLE hourly (key TEXT NOT NULL, cluster TEXT NOT NULL, hour INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (hour, key, cluster));
CREATE TABLE folded (name TEXT PRIMARY KEY);
)";

struct Rule {
    mode_t mode;
    uid_t owner;
    gid_t group;
};

Rule rule_of(const std::filesystem::path& folder) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0)
        throw base::SystemFailure(FailureKind::operation, "state directory " + folder.string() + " cannot be used", errno);
    const bool shared = (status.st_mode & S_IWGRP) != 0;
    return {static_cast<mode_t>(shared ? 0660 : 0600), status.st_uid, status.st_gid};
}

// Linked into place when ready: SQLite's locks belong to the process, and closing a second descriptor of the final file would drop them.
void create_file(const std::filesystem::path& path) {
    const Rule rule = rule_of(path.parent_path());
    const auto temporary = path.parent_path() / fmt::format(".{}.{}", path.filename().string(), base::random_hex(8));
    {
        auto file = base::File::open(temporary, O_RDWR | O_CREAT | O_EXCL, 0600);
        const bool owned = ::geteuid() != 0 || ::fchown(file.descriptor(), rule.owner, rule.group) == 0;
        const bool grouped = rule.mode == 0600 || ::geteuid() == 0 || ::fchown(file.descriptor(), static_cast<uid_t>(-1), rule.group) == 0;
        if (!owned || !grouped || ::fchmod(file.descriptor(), rule.mode) != 0) {
            const int error = errno;
            ::unlink(temporary.c_str());
            throw base::SystemFailure(FailureKind::operation, "owner and mode of " + path.string() + " cannot be set", error);
        }
    }
    const int linked = ::link(temporary.c_str(), path.c_str());
    const int error = errno;
    ::unlink(temporary.c_str());
    if (linked != 0 && error != EEXIST) throw base::SystemFailure(FailureKind::operation, path.string() + " cannot be made", error);
}

void require_version(Database& database) {
    const auto version = database.integer("PRAGMA user_version");
    const auto application = database.integer("PRAGMA application_id");
    if (version == kSchemaVersion && application == kApplicationId) return;
    if (application != kApplicationId)
        throw base::Failure(FailureKind::operation,
                            fmt::format("{} is not a journal: application id {}", database.path().string(), application),
                            "move the file away; the next operation begins a new journal");
    throw base::Failure(FailureKind::operation,
                        fmt::format("{} has a format this program does not know: version {} instead of {}", database.path().string(),
                                    version, kSchemaVersion),
                        "use the version of howdah that wrote it, or move journal.db* and journal.head aside to begin a new journal");
}

bool is_new(Database& database) {
    return database.integer("PRAGMA user_version") == 0 && database.integer("PRAGMA application_id") == 0 &&
           database.integer("SELECT count(*) FROM sqlite_master") == 0;
}

void create_tables(Database& database) {
    Transaction transaction(database);
    if (is_new(database)) {
        database.execute(kTables);
        database.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kSchemaVersion));
    }
    transaction.commit();
    database.fold_log();  // So that the file by itself is known for a journal.
}

bool is_there(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT) return false;
    throw base::SystemFailure(FailureKind::operation, path.string() + " cannot be looked at", errno);
}

}  // namespace

std::filesystem::path database_file(const std::filesystem::path& folder) { return folder / "journal.db"; }

int open_journal_file(const std::filesystem::path& path, int flags) {
    if (!is_there(path)) create_file(path);
    return base::File::open(path, flags).release();
}

std::unique_ptr<Database> open_for_append(const std::filesystem::path& folder, std::chrono::milliseconds wait) {
    if (!is_there(folder)) base::create_directories_durably(folder);
    const auto path = database_file(folder);
    for (const char* part : {"", "-wal", "-shm"})
        if (const auto file = path.string() + part; !is_there(file)) create_file(file);
    auto database = std::make_unique<Database>(path, wait);
    if (is_new(*database)) create_tables(*database);
    require_version(*database);
    return database;
}

std::unique_ptr<Database> open_for_reading(const std::filesystem::path& folder, std::chrono::milliseconds wait) {
    const auto path = database_file(folder);
    if (!is_there(path)) return nullptr;
    auto database = std::make_unique<Database>(path, wait);
    if (is_new(*database)) return nullptr;
    require_version(*database);
    return database;
}

}  // namespace howdah::journal
