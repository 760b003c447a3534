#include "ground.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/file.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

namespace {

std::unique_ptr<ProtectedServer> server;

class Ending : public testing::Environment {
public:
    void TearDown() override { server.reset(); }
};
const auto* const ending = testing::AddGlobalTestEnvironment(new Ending);

std::unique_ptr<ProtectedServer> make_server() {
    ProtectedServer::Options options;
    options.archiving = false;
    options.scratch.wal_segment_mib = 1;
    options.scratch.settings = {{"archive_command", "true"}, {"checkpoint_timeout", "1h"}, {"bgwriter_lru_maxpages", "0"},
                                {"archive_timeout", "0"},    {"wal_keep_size", "64MB"},    {"min_wal_size", "2MB"},
                                {"wal_recycle", "off"}};
    auto made = std::make_unique<ProtectedServer>(options);
    made->set_config("wal.fetch_ahead", "0");
    made->session().script(
        "CREATE TABLE shop(id int PRIMARY KEY, note text);"
        "INSERT INTO shop SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 8000) g");
    // A cluster of one database: what the others would add to a backup is more of the same.
    made->session().query("UPDATE pg_database SET datistemplate = false");
    made->session().query("DROP DATABASE template0");
    made->session().query("DROP DATABASE template1");
    made->session().query("VACUUM FREEZE");
    made->session().query("CHECKPOINT");
    return made;
}

}  // namespace

/// The program's own path as its commands see it (--wrap in tests/CMakeLists.txt).
fs::path program_path() asm("__wrap_" HOWDAH_OWN_BINARY);
fs::path program_path() { return server->binary(); }

ProtectedServer& shared_server() {
    static bool failed = false;
    if (failed) throw std::runtime_error("the shared server could not be made; see the first test");
    failed = true;
    if (!server) {
        server = make_server();
        change_rows();
        server->howdah_ok({"backup", "run"});
        change_rows();
        server->howdah_ok({"backup", "run", "--type", "incr"});
        change_rows();
        switch_segment();
        for (const auto& name : complete_segments())
            server->howdah_ok({"wal", "push", (server->server().data_directory() / "pg_wal" / name).string()});
    }
    failed = false;
    return *server;
}

void renew_server() {
    server.reset();
    shared_server();
}

void change_rows() {
    auto session = server->session();
    session.query("UPDATE shop SET note = md5(random()::text) WHERE id % 400 = 7");
    // Looked at once, so that its pages say which of their rows are there before they are written.
    session.query("SELECT count(*) FROM shop");
    session.query("CHECKPOINT");
}

std::string switch_segment() {
    auto session = server->session();
    session.query("INSERT INTO shop SELECT max(id) + 1, 'more' FROM shop");
    auto name = session.value("SELECT pg_walfile_name(pg_switch_wal())");
    session.query("CHECKPOINT");
    return name;
}

std::vector<std::string> complete_segments(const std::string& from) {
    const auto current = server->session().value("SELECT pg_walfile_name(pg_current_wal_lsn())");
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(server->server().data_directory() / "pg_wal")) {
        auto name = entry.path().filename().string();
        if (name.size() == 24 && name >= from && name < current) names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
}

void give_to_server(const fs::path& path) {
    if (::geteuid() != 0) return;
    base::run_process_checked("chown", {"chown", "-R", shared_server().server().user().name, path.string()});
}

Place::Place(const std::string& name) : folder_(shared_server().workspace() / name) {
    fs::create_directory(folder_);
    give_to_server(folder_);
}

Place::~Place() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

Environment Place::environment() const {
    return {{"HOWDAH_REPOSITORY_MAIN_URL", "file://" + repository().string()}, {"HOWDAH_STATE_DIRECTORY", state().string()}};
}

base::RepositoryConfig Place::repository_config() const {
    auto config = shared_server().config().repository();
    config.url = "file://" + repository().string();
    return config;
}

void Place::reset(const fs::path& like) {
    fs::remove_all(repository());
    fs::remove_all(state());
    if (!like.empty()) base::run_process_checked("cp", {"cp", "-al", like.string(), repository().string()});
}

Ended Place::run(const std::vector<std::string>& words, const Fault& fault, const Environment& more) const {
    auto surroundings = environment();
    surroundings.insert(more.begin(), more.end());
    std::vector<std::string> all{"--config", shared_server().config_file().string()};
    all.insert(all.end(), words.begin(), words.end());
    return run_inside(all, surroundings, folder_, fault);
}

std::string Place::plain(const std::vector<std::string>& words) const {
    const auto done = run(words);
    std::string command;
    for (const auto& word : words) command += " " + word;
    EXPECT_EQ(done.exit_code, 0) << "plain" << command << "\n" << done.output << done.errors;
    return done.output;
}

Tree Place::restore(const std::string& backup) const {
    fs::remove_all(restored());
    plain({"restore", "--into", restored().string(), "--backup", backup, "--to-backup-end"});
    return fs::exists(restored()) ? tree_of(restored()) : Tree{};
}

std::vector<std::string> listed(const Place& place) {
    std::vector<std::string> ids;
    const auto list = nlohmann::json::parse(place.plain({"--output", "json", "backup", "list"}), nullptr, false);
    if (list.is_discarded()) return ids;
    for (const auto& backup : list["backups"]) {
        EXPECT_EQ(backup["state"], "good") << backup.dump();
        ids.push_back(backup["id"]);
    }
    return ids;
}

std::string unlike_server(const Tree& restored) {
    const auto kept = [](const std::string& name) {
        for (const std::string_view folder : {"base/", "global/", "pg_xact/", "pg_multixact/"})
            if (name.starts_with(folder)) return name != "global/pg_control" && name.find("pg_internal.init") == std::string::npos;
        return false;
    };
    Tree live = tree_of(shared_server().server().data_directory()), copy = restored;
    std::erase_if(live, [&](const auto& entry) { return !kept(entry.first); });
    std::erase_if(copy, [&](const auto& entry) { return !kept(entry.first); });
    return difference(live, copy);
}

}  // namespace howdah::tests
