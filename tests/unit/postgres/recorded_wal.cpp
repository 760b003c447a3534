#include "recorded_wal.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace howdah::postgres::testing {

namespace {

constexpr const char* kWorkload = R"(
create table t (id int primary key, body text);
do $$ begin for i in 1..200 loop insert into t values (i, repeat(md5(i::text), 20)); commit; end loop; end $$;
do $$ begin for i in 201..260 loop insert into t values (i, 'no'); rollback; end loop; end $$;
checkpoint;
update t set body = body || 'x' where id % 3 = 0;
set wal_compression = on;
checkpoint;
update t set body = body || 'y' where id % 4 = 0;
begin; savepoint a; insert into t values (1001, 'a'); savepoint b; insert into t values (1002, 'b'); rollback to a; insert into t values (1003); commit;
begin; create table dropped (i int); insert into dropped values (1); commit;
begin; savepoint a; insert into t values (2001, 'p'); savepoint b; insert into t values (2002, 'p'); drop table dropped; create table made (i int);
prepare transaction 'first';
select pg_create_restore_point('before first');
commit prepared 'first';
begin; savepoint a; insert into t values (2003, 'p'); create table never (i int); savepoint b; insert into never values (1); prepare transaction 'second';
rollback prepared 'second';
select pg_replication_origin_create('elsewhere');
select pg_replication_origin_session_setup('elsewhere');
begin; select pg_replication_origin_xact_setup('0/ABCDEF', '2020-01-01'); insert into t values (3001, 'o'); commit;
begin; insert into t values (3002, 'o'); savepoint x; insert into t values (3003, 'o'); prepare transaction 'third';
commit prepared 'third';
select pg_replication_origin_session_reset();
select pg_switch_wal();
select pg_logical_emit_message(true, 'long', repeat('0123456789', 350000));
select pg_logical_emit_message(false, 'short', '');
select pg_create_restore_point(rpad('long name ', 63, 'x'));
do $$ begin for i in 5000..9000 loop insert into t values (i, repeat('z', i % 900)); commit; end loop; end $$;
drop table t;
select pg_switch_wal();
)";

std::string value(const RealServer& server, const std::string& query) {
    std::string text = server.sql(query);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

std::vector<PrintedRecord> dump_by_program(const RealServer& server, base::Lsn begin, base::Lsn end) {
    const auto dump = server.run("pg_waldump", {"-p", (server.data() / "pg_wal").string(), "-s", base::text(begin), "-e", base::text(end)});
    static const std::regex kLine(
        R"(rmgr: (\S+) +len \(rec/tot\): +\d+/ *(\d+), tx: +(\d+), lsn: ([0-9A-F/]+), prev ([0-9A-F/]+), desc: (.*))");
    std::vector<PrintedRecord> records;
    std::istringstream lines(dump.output);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t images = count(line, "FPW");
        line.resize(std::min<std::size_t>(line.size(), 1000));  // A logical message is printed whole, too long for std::regex.
        std::smatch match;
        if (!std::regex_search(line, match, kLine)) continue;
        records.push_back({*base::parse_lsn(match[4].str()), *base::parse_lsn(match[5].str()),
                           static_cast<std::uint32_t>(std::stoul(match[3])), static_cast<std::uint32_t>(std::stoul(match[2])), match[1],
                           match[6], images});
    }
    return records;
}

std::vector<PrintedRecord> dump_by_extension(const RealServer& server, base::Lsn begin, base::Lsn end) {
    server.sql("create extension if not exists pg_walinspect");
    const std::string rows = server.sql(
        fmt::format("set timezone = 'UTC'; select start_lsn, prev_lsn, xid, record_length, resource_manager, "
                    "array_length(string_to_array(block_ref, 'FPW'), 1) - 1, trim(record_type || ' ' || coalesce(description, '')) "
                    "from pg_get_wal_records_info('{}', '{}') order by start_lsn",
                    base::text(begin), base::text(end)));
    std::vector<PrintedRecord> records;
    std::istringstream lines(rows);
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string> field;
        std::istringstream fields(line);
        for (std::string text; field.size() < 6 && std::getline(fields, text, '|');) field.push_back(text);
        std::string text;
        std::getline(fields, text);
        records.push_back({*base::parse_lsn(field[0]), *base::parse_lsn(field[1]), static_cast<std::uint32_t>(std::stoul(field[2])),
                           static_cast<std::uint32_t>(std::stoul(field[3])), field[4], text, field[5].empty() ? 0 : std::stoul(field[5])});
    }
    return records;
}

}  // namespace

RecordedWal::RecordedWal(unsigned segment_mib)
    : segment_size(std::uint64_t{segment_mib} << 20),
      server(segment_mib, {{"wal_level", "logical"}, {"wal_keep_size", "2GB"}, {"log_timezone", "UTC"}}) {
    tablespace_path = server.make_folder("space");
    server.sql(fmt::format("create tablespace space location '{}';", tablespace_path));
    tablespace_oid = value(server, "select oid from pg_tablespace where spcname = 'space'");
    server.sql("create table in_space (i int) tablespace space; drop table in_space; drop tablespace space;");
    server.sql(kWorkload);
    const WalSegment current = segment_at({1}, *base::parse_lsn(value(server, "select pg_current_wal_lsn()")), segment_size);

    std::vector<WalSegment> numbers;
    for (const auto& entry : std::filesystem::directory_iterator(server.data() / "pg_wal"))
        if (const auto number = parse_segment_name(entry.path().filename().string(), segment_size); number && *number < current)
            numbers.push_back(*number);
    std::sort(numbers.begin(), numbers.end());
    if (numbers.size() < 2) throw std::runtime_error("too few segments");
    for (const WalSegment& number : numbers)
        segments.push_back({number.name(segment_size), number, server.segment(number.name(segment_size)), {}});

    const base::Lsn begin = numbers.front().begin(segment_size), end = numbers.back().end(segment_size);
    std::vector<PrintedRecord> records;
    if (server.has("pg_waldump"))
        records = dump_by_program(server, begin, end);
    else if (server.major() >= 15)
        records = dump_by_extension(server, begin, end);
    printed = !records.empty();
    for (PrintedRecord& record : records)
        if (record.lsn < end) segments.at(record.lsn.value / segment_size - numbers.front().number).printed.push_back(std::move(record));
}

const RecordedWal& recorded_wal(unsigned segment_mib) {
    static std::map<unsigned, std::unique_ptr<RecordedWal>> recorded;
    auto& wal = recorded[segment_mib];
    if (!wal) wal = std::make_unique<RecordedWal>(segment_mib);
    return *wal;
}

}  // namespace howdah::postgres::testing
