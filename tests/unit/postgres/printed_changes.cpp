#include "printed_changes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace howdah::postgres::testing {

namespace {

constexpr const char* kWorkload = R"(
create table a (id int primary key, body text) with (fillfactor = 60);
insert into a select i, repeat(md5(i::text), 8) from generate_series(1, 20000) i;
checkpoint;
update a set body = body || 'x' where id % 97 = 0;
delete from a where id > 9000;
vacuum (truncate on, freeze) a;
insert into a select i, 'again' from generate_series(9001, 9500) i;
update old set i = -i where i % 500 = 0;
drop table to_go;
delete from shrunk where i > 100;
vacuum (truncate on) shrunk;
insert into shrunk select generate_series(1, 1000);
create table kinds (i int, t text, p point, a int[]);
insert into kinds select i, md5(i::text), point(i, i), array[i, i % 7] from generate_series(1, 3000) i;
create index on kinds using hash (i);
create index on kinds using gin (a);
create index on kinds using gist (p);
create index on kinds using spgist (t);
create index on kinds using brin (i);
insert into kinds select i, md5(i::text), point(i, i), array[i, i % 7] from generate_series(3001, 6000) i;
delete from kinds where i % 3 = 0;
vacuum kinds;
reindex table kinds;
set wal_compression = on;
checkpoint;
update kinds set i = i + 1 where i % 50 = 0;
create unlogged table u (i int primary key);
insert into u select generate_series(1, 100);
alter table u set logged;
create sequence numbers; select nextval('numbers');
truncate kinds;
begin; create table gone (i int primary key, t text); insert into gone values (1, 'x'); rollback;
begin; savepoint s; create table gone (i int primary key); rollback to s; create table kept (i int); savepoint t; insert into kept values (1); commit;
begin; do $$ begin for i in 1..260 loop execute format('create table many_%s (i int)', i); end loop; end $$; commit;
begin; do $$ begin for i in 1..260 loop execute format('drop table many_%s', i); end loop; end $$; commit;
begin; drop table kept; create table two_phase (i int primary key); insert into two_phase values (1); prepare transaction 'one';
commit prepared 'one';
begin; create table never (i int primary key); insert into never values (1); prepare transaction 'two';
rollback prepared 'two';
vacuum full a;
cluster a using a_pkey;
create materialized view v as select * from a; refresh materialized view v;
alter table a set tablespace space;
create table in_space (i int) tablespace space; insert into in_space values (1); drop table in_space;
do $$ begin for i in 1..3000 loop insert into two_phase values (i + 1); commit; end loop; end $$;
)";

constexpr const char* kDatabases = R"(
create database by_files strategy file_copy;
create database by_wal strategy wal_log;
create database to_drop strategy wal_log;
\c by_files
create table t as select generate_series(1, 5000) i;
\c by_wal
create table t as select generate_series(1, 5000) i;
\c postgres
alter database by_files set tablespace space;
alter database by_files set tablespace pg_default;
drop database to_drop;
)";

Fork fork_of(const std::string& name) {
    if (name == "fsm") return Fork::free_space;
    if (name == "vm") return Fork::visibility;
    if (name == "init") return Fork::init;
    return Fork::main;
}

/// "base/5/16385_init", "global/1260", "pg_tblspc/16384/PG_15_202209061/5/16390".
ForkKey key_of_path(const std::string& path) {
    std::vector<std::string> parts;
    std::istringstream stream(path);
    for (std::string part; std::getline(stream, part, '/');) parts.push_back(part);
    ForkKey key;
    const auto number = [](const std::string& text) { return static_cast<std::uint32_t>(std::stoul(text)); };
    if (parts.front() == "base") key.tablespace = 1663;
    if (parts.front() == "global") key.tablespace = 1664;
    if (parts.front() == "pg_tblspc") key.tablespace = number(parts.at(1));
    if (parts.front() != "global") key.database = number(parts.at(parts.size() - 2));
    key.relation = number(parts.back());
    if (const auto at = parts.back().find('_'); at != std::string::npos) key.fork = fork_of(parts.back().substr(at + 1));
    return key;
}

std::uint32_t number_after(const std::string& text, const std::string& word) {
    return static_cast<std::uint32_t>(std::stoul(text.substr(text.find(word) + word.size())));
}

void add_limit(const ForkKey& key, std::uint32_t blocks, PrintedChanges& changes) {
    const auto [found, is_new] = changes.limits.try_emplace(key, blocks);
    if (!is_new) found->second = std::min(found->second, blocks);
}

void add_database(const std::string& text, PrintedChanges& changes) {
    const auto slash = text.find('/');
    changes.replaced.insert({static_cast<std::uint32_t>(std::stoul(text)), static_cast<std::uint32_t>(std::stoul(text.substr(slash + 1)))});
}

void add_references(const std::string& line, PrintedChanges& changes) {
    for (std::size_t at = line.find("blkref #"); at != std::string::npos; at = line.find("blkref #", at + 1)) {
        std::istringstream words(line.substr(line.find("rel ", at) + 4));
        ForkKey key;
        char slash = 0;
        std::string word;
        words >> key.tablespace >> slash >> key.database >> slash >> key.relation >> word;
        if (word == "fork") {
            words >> word;
            key.fork = fork_of(word);
            words >> word;
        }
        std::uint32_t block = 0;
        words >> block;
        changes.blocks[key].insert(block);
    }
}

void add_dropped(const std::string& line, PrintedChanges& changes) {
    const auto at = line.find("; rels:");
    if (at == std::string::npos) return;
    std::istringstream paths(line.substr(at + 7, line.find(';', at + 7) - at - 7));
    for (std::string path; paths >> path;) {
        ForkKey key = key_of_path(path);
        for (const Fork fork : kForks) {
            key.fork = fork;
            add_limit(key, 0, changes);
        }
    }
}

/// One line for each record, as pg_waldump has them; nothing when the server cannot print its WAL.
std::string print(const RealServer& server, base::Lsn begin, base::Lsn end) {
    if (server.has("pg_waldump"))
        return server.run("pg_waldump", {"-p", (server.data() / "pg_wal").string(), "-s", base::text(begin), "-e", base::text(end)}).output;
    if (server.major() < 15) return {};
    return server.sql(
        fmt::format("create extension pg_walinspect;"
                    "select format('rmgr: %s lsn: %s, desc: %s %s %s', resource_manager, start_lsn, record_type, description, block_ref) "
                    "from pg_get_wal_records_info('{}', '{}')",
                    base::text(begin), base::text(end)));
}

}  // namespace

void add_printed_line(const std::string& line, PrintedChanges& changes) {
    const auto desc_at = line.find(", desc: ");
    const std::string manager = line.substr(6, line.find(' ', 6) - 6), desc = line.substr(desc_at + 8);
    std::istringstream words(desc);
    std::string word, path;
    words >> word;
    ++changes.records;
    add_references(line, changes);
    if (manager == "Transaction") {
        add_dropped(line, changes);
    } else if (manager == "Storage") {
        words >> path;
        if (word == "CREATE") add_limit(key_of_path(path), 0, changes);
        if (word == "TRUNCATE" && (number_after(desc, "flags ") & 1)) add_limit(key_of_path(path), number_after(desc, " to "), changes);
    } else if (manager == "Database") {
        words.str(desc.substr(word == "DROP" || word == "CREATE_WAL_LOG" ? desc.find("dir ") + 4 : desc.find(" to ") + 4));
        words.clear();
        while (words >> path) add_database(path, changes);
    }
}

void PrintedChanges::add(const PrintedChanges& later) {
    for (const auto& [key, numbers] : later.blocks) blocks[key].insert(numbers.begin(), numbers.end());
    for (const auto& [key, limit] : later.limits) add_limit(key, limit, *this);
    replaced.insert(later.replaced.begin(), later.replaced.end());
    records += later.records;
}

PrintedChanges PrintedChanges::trimmed() const {
    PrintedChanges result = *this;
    const auto is_replaced = [&](const auto& item) { return replaced.contains({item.first.tablespace, item.first.database}); };
    std::erase_if(result.blocks, is_replaced);
    std::erase_if(result.limits, is_replaced);
    for (const auto& [key, limit] : result.limits)
        if (const auto found = result.blocks.find(key); found != result.blocks.end())
            found->second.erase(found->second.lower_bound(limit), found->second.end());
    std::erase_if(result.blocks, [](const auto& item) { return item.second.empty(); });
    return result;
}

PrintedChanges spelled_out(const BlockChanges& changes) {
    PrintedChanges result;
    result.replaced = changes.replaced();
    for (const auto& [key, fork] : changes.forks()) {
        if (fork.limit != ForkChanges::kNoLimit) result.limits[key] = fork.limit;
        fork.blocks.for_each_range({0, kNoBlock}, [&, &key = key](BlockRange range) {
            for (std::uint32_t block = range.begin; block < range.end; ++block) result.blocks[key].insert(block);
        });
    }
    return result;
}

ChangedWal::ChangedWal(unsigned segment_mib)
    : segment_size(std::uint64_t{segment_mib} << 20), server(segment_mib, [&] {
          std::map<std::string, std::string> settings{{"wal_keep_size", "2GB"}, {"log_timezone", "UTC"}, {"max_wal_size", "4GB"}};
          if (program_version(find_programs()) >= 17) settings["summarize_wal"] = "on";
          return settings;
      }()) {
    server.sql(fmt::format("create tablespace space location '{}';", server.make_folder("space")));
    server.sql(
        "create table shrunk (i int); insert into shrunk select generate_series(1, 5000);"
        "create table old (i int primary key, t text); insert into old select i, md5(i::text) from generate_series(1, 50000) i;"
        "create table to_go (i int); insert into to_go values (1); select pg_switch_wal();");
    const auto position = [&] {
        std::string text = server.sql("select pg_current_wal_lsn()");
        text.pop_back();
        return segment_at({1}, *base::parse_lsn(text), segment_size);
    };
    const WalSegment first = position();
    server.sql(kWorkload);
    if (server.major() >= 15) server.sql(kDatabases);
    server.sql("select pg_switch_wal(); checkpoint;");
    const WalSegment last = position();
    for (WalSegment number = first; number < last; number = number.next())
        segments.push_back({number, server.segment(number.name(segment_size)), {}});
    if (segments.size() < 2) throw std::runtime_error("too few segments");
    std::istringstream lines(print(server, first.begin(segment_size), last.begin(segment_size)));
    for (std::string line; std::getline(lines, line);) {
        const auto at = line.find("lsn: ");
        if (!line.starts_with("rmgr: ") || at == std::string::npos) continue;
        const auto lsn = base::parse_lsn(line.substr(at + 5, line.find(',', at) - at - 5));
        const auto number = segment_at({1}, lsn.value(), segment_size).number - first.number;
        if (number < segments.size()) add_printed_line(line, segments[number].printed);
        printed = true;
    }
}

const ChangedWal& changed_wal(unsigned segment_mib) {
    static std::map<unsigned, std::unique_ptr<ChangedWal>> made;
    auto& wal = made[segment_mib];
    if (!wal) wal = std::make_unique<ChangedWal>(segment_mib);
    return *wal;
}

}  // namespace howdah::postgres::testing
