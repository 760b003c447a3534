#include "fixture.hpp"

#include <unistd.h>

#include <future>

#include "base/file.hpp"

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
