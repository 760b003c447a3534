#include "journal/chain.hpp"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>

namespace howdah::journal {

namespace {

void put(std::string& into, std::string_view field) { into += fmt::format("{}:{},", field.size(), field); }
void put(std::string& into, std::uint64_t number) { put(into, std::to_string(number)); }
void put(std::string& into, std::int64_t number) { put(into, std::to_string(number)); }

/// What verify keeps of the starts it passed.
struct Walk {
    std::vector<std::string> problems;
    std::map<std::uint64_t, std::string> open_starts;
    std::uint64_t last_number = 0;
    std::string last_hash = kFirstHash;
    std::optional<Head> remembered;
    bool remembered_seen = false;
};

std::string name_of(const Row& row) { return fmt::format("entry {} ({})", row.number, row.operation); }

void check_end(Walk& walk, const Row& row) {
    if (row.kind == "start") walk.open_starts.emplace(row.number, row.operation);
    if (row.kind != "end" || row.started_by == 0) return;
    const auto start = walk.open_starts.find(row.started_by);
    if (start == walk.open_starts.end())
        walk.problems.push_back(fmt::format("{} ends entry {}, which is no open start before it", name_of(row), row.started_by));
    else
        walk.open_starts.erase(start);
}

void check_row(Walk& walk, const Row& row) {
    if (row.number == walk.last_number + 2)
        walk.problems.push_back(fmt::format("entry {} is missing", walk.last_number + 1));
    else if (row.number != walk.last_number + 1)
        walk.problems.push_back(fmt::format("entries {} to {} are missing", walk.last_number + 1, row.number - 1));
    else if (row.hash != hash_of(row, walk.last_hash))
        walk.problems.push_back(fmt::format("{} was changed or does not follow the entry before it: its hash does not fit", name_of(row)));
    check_end(walk, row);
    if (walk.remembered && walk.remembered->number == row.number) {
        walk.remembered_seen = true;
        if (walk.remembered->hash != row.hash)
            walk.problems.push_back(fmt::format("{} is another one than journal.head remembers", name_of(row)));
    }
    walk.last_number = row.number;
    walk.last_hash = row.hash;
}

void check_heads(Walk& walk, const std::optional<Head>& head) {
    if (!head && walk.last_number > 0) walk.problems.push_back("the head of the chain is missing from the database");
    if (head && head->number > walk.last_number)
        walk.problems.push_back(
            fmt::format("the newest entries were removed: the chain ends at {}, its head is {}", walk.last_number, head->number));
    else if (head && (head->number < walk.last_number || head->hash != walk.last_hash))
        walk.problems.push_back(
            fmt::format("entry {} is not the one that the head of the chain names ({})", walk.last_number, head->number));
    if (walk.remembered && !walk.remembered_seen && walk.remembered->number > walk.last_number)
        walk.problems.push_back(
            fmt::format("the newest entries were removed or the journal was begun anew: it ends at {}, journal.head remembers {}",
                        walk.last_number, walk.remembered->number));
}

}  // namespace

std::string hash_of(const Row& row, std::string_view previous) {
    std::string bytes;
    put(bytes, std::string_view("howdah-journal-1"));
    put(bytes, previous);
    put(bytes, row.number);
    put(bytes, std::string_view(row.kind));
    put(bytes, row.started_by);
    put(bytes, row.start_time);
    put(bytes, row.end_time);
    for (const std::string* field :
         {&row.operation, &row.cluster, &row.repository, &row.outcome, &row.user, &row.host, &row.process, &row.message, &row.figures})
        put(bytes, std::string_view(*field));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1)
        throw base::Failure(base::FailureKind::operation, "SHA-256 failed: the cryptographic library refused it",
                            "look at OpenSSL's configuration on this host");
    std::string hex;
    for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

std::optional<Head> read_head(Database& database) {
    auto statement = database.prepare("SELECT number, hash FROM head");
    if (!statement.step()) return std::nullopt;
    return Head{static_cast<std::uint64_t>(statement.integer(0)), statement.text(1)};
}

Head append_row(Database& database, Row& row) {
    const auto head = read_head(database).value_or(Head{});
    // A row beyond the head exists only after tampering; going on behind it keeps the evidence.
    const auto newest = static_cast<std::uint64_t>(database.integer("SELECT coalesce(max(number), 0) FROM entry"));
    row.number = std::max(head.number, newest) + 1;
    row.hash = hash_of(row, head.hash);
    auto insert = database.prepare("INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    insert.bind(1, static_cast<std::int64_t>(row.number)).bind(2, row.kind).bind(3, static_cast<std::int64_t>(row.started_by));
    insert.bind(4, row.start_time).bind(5, row.end_time);
    int parameter = 6;
    for (const std::string* field : {&row.operation, &row.cluster, &row.repository, &row.outcome, &row.user, &row.host, &row.process,
                                     &row.message, &row.figures, &row.hash})
        insert.bind(parameter++, *field);
    insert.step();
    auto move = database.prepare("INSERT OR REPLACE INTO head VALUES (1, ?, ?)");
    move.bind(1, static_cast<std::int64_t>(row.number)).bind(2, row.hash).step();
    return {row.number, row.hash};
}

std::string row_columns(std::string_view alias) {
    std::string columns;
    for (const char* name : {"number", "kind", "started_by", "start_time", "end_time", "operation", "cluster", "repository", "outcome",
                             "user", "host", "process", "message", "figures", "hash"})
        columns += fmt::format("{}{}.{}", columns.empty() ? "" : ", ", alias, name);
    return columns;
}

Row read_row(const Statement& statement, int first_column) {
    Row row;
    int column = first_column;
    row.number = static_cast<std::uint64_t>(statement.integer(column++));
    row.kind = statement.text(column++);
    row.started_by = static_cast<std::uint64_t>(statement.integer(column++));
    row.start_time = statement.integer(column++);
    row.end_time = statement.integer(column++);
    for (std::string* field : {&row.operation, &row.cluster, &row.repository, &row.outcome, &row.user, &row.host, &row.process,
                               &row.message, &row.figures, &row.hash})
        *field = statement.text(column++);
    return row;
}

std::vector<std::string> verify_chain(Database& database, const std::optional<Head>& remembered) {
    Walk walk;
    walk.remembered = remembered;
    // One statement and its transaction: appends meanwhile are not seen half.
    database.execute("BEGIN");
    const auto head = read_head(database);
    auto statement = database.prepare("SELECT " + row_columns("e") + " FROM entry e ORDER BY number");
    while (statement.step()) check_row(walk, read_row(statement));
    check_heads(walk, head);
    return std::move(walk.problems);
}

}  // namespace howdah::journal
