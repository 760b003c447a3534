#include "fixture.hpp"

#include <unistd.h>

#include <future>

#include "base/file.hpp"
#include "base/random.hpp"
#include "postgres/page.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

fs::path make_shop(ProtectedServer& protectee, int rows) {
    std::string file;
    {
        auto session = protectee.session();
        session.script("CREATE TABLE shop(id int, note text); INSERT INTO shop SELECT g, repeat('row ' || g, 20) FROM generate_series(1, " +
                       std::to_string(rows) + ") g; SELECT count(*) FROM shop");
        file = session.value("SELECT pg_relation_filepath('shop')");
    }
    protectee.server().restart();
    return protectee.server().data_directory() / file;
}

std::string count_of(const postgres::ScratchServer& server, const std::string& table) {
    return open_session(server).value("SELECT count(*) FROM " + table);
}

base::ProcessResult howdah_in(ProtectedServer& protectee, const fs::path& folder, const std::vector<std::string>& words) {
    std::vector<std::string> command{protectee.binary().string(), "--config", protectee.config_file().string()};
    command.insert(command.end(), words.begin(), words.end());
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = protectee.server().user();
    options.working_directory = folder;
    return base::run_process(command, options);
}

fs::path make_space(ProtectedServer& protectee, const std::string& name) {
    const auto place = protectee.workspace() / ("space-" + name);
    fs::create_directory(place);
    const auto& user = protectee.server().user();
    if (::geteuid() == 0 && ::chown(place.c_str(), user.uid, user.gid) != 0)
        throw std::runtime_error("chown of the tablespace's folder failed");
    return place;
}

fs::path make_tablespace(ProtectedServer& protectee, const std::string& tablespace, const std::string& table) {
    const auto place = make_space(protectee, tablespace);
    auto session = protectee.session();
    session.query("CREATE TABLESPACE " + tablespace + " LOCATION " + session.quote_literal(place.string()));
    session.script("CREATE TABLE " + table + "(id int) TABLESPACE " + tablespace + "; INSERT INTO " + table +
                   " SELECT generate_series(1, 5000)");
    session.query("VACUUM " + table);
    session.query("CHECKPOINT");
    return place;
}

std::map<std::string, std::string> contents(const fs::path& folder) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) found[fs::relative(entry.path(), folder).string()] = base::read_file(entry.path(), {1u << 30});
    return found;
}

std::vector<fs::path> objects_named(const ProtectedServer& protectee, const std::string& part) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(protectee.repository()))
        if (entry.is_regular_file() && entry.path().filename().string().find(part) != std::string::npos) found.push_back(entry.path());
    return found;
}

void make_branch(ProtectedServer& protectee) {
    const auto into = protectee.workspace() / "branch";
    protectee.howdah_ok({"restore", "--into", into.string(), "--to-backup-end"});
    auto server = protectee.start_restored(into);
    auto session = open_session(server);
    session.query("INSERT INTO shop VALUES (0, 'branch')");
    const auto segment = session.value("SELECT pg_walfile_name(pg_switch_wal())");
    ASSERT_EQ(segment.substr(0, 8), "00000002");
    const auto pushed = howdah_in(protectee, into, {"wal", "push", "pg_wal/" + segment});
    ASSERT_EQ(pushed.exit_code, 0) << pushed.errors;
    ASSERT_FALSE(objects_named(protectee, "00000002.history").empty());
}

nlohmann::json take_parent(ProtectedServer& protectee) {
    protectee.session().query("SELECT pg_switch_wal()");
    return protectee.howdah_json({"backup", "run"})["backup"];
}

nlohmann::json take_incremental(ProtectedServer& protectee) {
    const auto taken = protectee.howdah_json({"backup", "run", "--type", "incr"});
    EXPECT_EQ(taken["backup"]["type"], "incr") << taken.dump(1);
    EXPECT_EQ(taken["backup"]["fallback"], nlohmann::json::array());
    return taken["backup"];
}

fs::path restore_newest(ProtectedServer& protectee, const std::vector<std::string>& more) {
    const auto into = protectee.workspace() / ("restored-" + base::random_hex(4));
    const std::string newest = protectee.howdah_json({"backup", "list"})["backups"].back()["id"];
    std::vector<std::string> words{"restore", "--into", into.string(), "--to-backup-end", "--backup", newest};
    words.insert(words.end(), more.begin(), more.end());
    protectee.howdah_ok(words);
    return into;
}

void expect_like_server(ProtectedServer& protectee, const std::vector<std::string>& databases, const std::vector<std::string>& more) {
    const auto into = restore_newest(protectee, more);
    auto server = protectee.start_restored(into);
    for (const auto& database : databases) {
        // Not by gtest: a difference of two dumps is long.
        const bool equal = dump(server, database) == dump(protectee.server(), database);
        EXPECT_TRUE(equal) << database << ": the dumps differ";
    }
    EXPECT_EQ(check_restored(server), "");
}

void run_single_user(ProtectedServer& protectee, const std::string& sql) {
    protectee.server().stop();
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = protectee.server().user();
    options.input = sql;
    const auto& server = protectee.server();
    const auto ran = base::run_process({(server.programs() / "postgres").string(), "--single", "-b", "-D", server.data_directory().string(), "postgres"}, options);
    ASSERT_EQ(ran.exit_code, 0) << ran.errors;
    ASSERT_EQ(ran.errors.find("ERROR"), std::string::npos) << ran.errors;
}

std::size_t zero_pages(const fs::path& file, std::size_t first) {
    const auto bytes = base::read_file(file, {1u << 30});
    std::size_t count = 0;
    for (std::size_t at = first * postgres::kBlockSize; at + postgres::kBlockSize <= bytes.size(); at += postgres::kBlockSize)
        count += postgres::page_is_zero(base::as_bytes(bytes).subspan(at, postgres::kBlockSize));
    return count;
}

ProtectedServer::Options crashing() {
    ProtectedServer::Options options;
    options.scratch.settings = {{"wal_writer_delay", "10s"}, {"wal_buffers", "16MB"}};
    return options;
}

void crash_during(ProtectedServer& protectee, const std::string& statement) {
    // Recovery shall begin behind all that was done before.
    protectee.session().query("CHECKPOINT");
    auto session = protectee.session();
    session.query("BEGIN");
    session.query(statement);
    protectee.server().kill();
    protectee.server().start();
}

struct HeldBackup::Run {
    fs::path pause;
    std::future<base::ProcessResult> result;
};

HeldBackup::HeldBackup(ProtectedServer& protectee, const std::string& point) : run_(std::make_unique<Run>()) {
    run_->pause = protectee.workspace() / "held-backup";
    run_->result = std::async(std::launch::async, [&protectee, point, pause = run_->pause] {
        return protectee.howdah({"backup", "run"}, {{"HOWDAH_TEST_PAUSE", point + ":" + pause.string()}});
    });
    while (!fs::exists(run_->pause))
        if (run_->result.wait_for(std::chrono::milliseconds(2)) == std::future_status::ready)
            throw std::runtime_error("the backup ended before " + point + ": " + run_->result.get().errors);
}

HeldBackup::~HeldBackup() {
    std::error_code ignored;
    fs::remove(run_->pause, ignored);
}

base::ProcessResult HeldBackup::finish() {
    fs::remove(run_->pause);
    return run_->result.get();
}

}  // namespace howdah::tests
