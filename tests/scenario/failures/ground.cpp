#include "ground.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/file.hpp"
#include "support/programs.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

namespace {

std::unique_ptr<ProtectedServer> server;

class Ending : public testing::Environment {
public:
    void TearDown() override { server.reset(); }
};
const auto* const ending = testing::AddGlobalTestEnvironment(new Ending);

/// Quiet, so that nothing but a command can change a file of the data directory.
std::unique_ptr<ProtectedServer> make_server() {
    ProtectedServer::Options options;
    options.scratch.wal_segment_mib = 1;
    options.scratch.listen_tcp = true;
    options.scratch.settings = {{"checkpoint_timeout", "1h"}, {"bgwriter_lru_maxpages", "0"}, {"archive_timeout", "0"}};
    auto made = std::make_unique<ProtectedServer>(options);
    // Fetching ahead goes on after the fetch that began it has answered: the next test would find its files.
    made->set_config("wal.fetch_ahead", "0");
    made->session().script(
        "CREATE ROLE clerk LOGIN PASSWORD 'right'; CREATE TABLE shop(id int PRIMARY KEY, note text);"
        "INSERT INTO shop SELECT g, md5(g::text) FROM generate_series(1, 5000) g");
    made->archive_everything();
    made->howdah_ok({"backup", "run"});
    made->session().script("INSERT INTO shop SELECT g, md5(g::text) FROM generate_series(5001, 6000) g");
    made->archive_everything();
    made->session().script("CHECKPOINT");
    return made;
}

std::string facts_of(const struct stat& status) {
    return fmt::format("{} bytes of {}.{:09}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::vector<std::string> archived() {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(shared_server().repository() / "cluster")) {
        const auto name = entry.path().filename().string();
        if (entry.is_regular_file() && name.size() == 24 && entry.path().string().find("/wal/") != std::string::npos) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

ProtectedServer& shared_server() {
    static bool failed = false;
    if (failed) throw std::runtime_error("the shared server could not be made; see the first test");
    failed = true;
    if (!server) server = make_server();
    failed = false;
    return *server;
}

fs::path fresh_path(const std::string& name) {
    static int count = 0;
    return shared_server().workspace() / fmt::format("{}-{}", name, ++count);
}

void give_to_server(const fs::path& path) {
    if (::geteuid() != 0) return;
    base::run_process_checked("chown", {"chown", "-R", shared_server().server().user().name, path.string()});
}

fs::path copy_of_repository(const std::string& name) {
    const auto copy = fresh_path(name);
    base::run_process_checked("cp", {"cp", "-a", shared_server().repository().string(), copy.string()});
    return copy;
}

Environment at_repository(const fs::path& repository) { return {{"HOWDAH_REPOSITORY_MAIN_URL", "file://" + repository.string()}}; }

fs::path data_directory_with(const std::string& name, const std::string& control) {
    const auto folder = fresh_path(name);
    fs::create_directories(folder / "global");
    base::write_file_durably(folder / "global/pg_control", control);
    give_to_server(folder);
    return folder;
}

std::string recorded_control_file(const std::string& name) {
    return base::read_file(source_folder() / "tests/unit/postgres/fixtures" / name);
}

fs::path other_key_file() {
    const auto path = fresh_path("other.key");
    base::write_file_durably(path, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0600);
    give_to_server(path);
    return path;
}

std::string first_segment() { return archived().front(); }
std::string newest_segment() { return archived().back(); }

Snapshot look_at(const std::vector<fs::path>& folders) {
    Snapshot found;
    for (const auto& folder : folders) {
        struct stat status{};
        if (::lstat(folder.c_str(), &status) != 0) {
            found[folder.string()] = "absent";
            continue;
        }
        if (!S_ISDIR(status.st_mode)) {
            found[folder.string()] = facts_of(status);
            continue;
        }
        found[folder.string()] = "folder";
        for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
            if (entry.path().filename().string().starts_with("journal.")) continue;
            if (::lstat(entry.path().c_str(), &status) != 0) continue;
            // The server itself writes to its WAL from time to time.
            const bool live = entry.path().parent_path() == shared_server().server().data_directory() / "pg_wal";
            found[entry.path().string()] = S_ISDIR(status.st_mode) ? std::string("folder")
                                           : live                  ? fmt::format("{} bytes", status.st_size)
                                                                   : facts_of(status);
        }
    }
    return found;
}

std::string difference(const Snapshot& before, const Snapshot& after) {
    std::string lines;
    for (const auto& [path, facts] : before) {
        const auto now = after.find(path);
        if (now == after.end())
            lines += fmt::format("gone: {}\n", path);
        else if (now->second != facts)
            lines += fmt::format("changed: {}: {} -> {}\n", path, facts, now->second);
    }
    for (const auto& [path, facts] : after)
        if (!before.contains(path)) lines += fmt::format("new: {} ({})\n", path, facts);
    return lines;
}

base::ProcessResult run_program(const std::vector<std::string>& words, const Refusal& how) {
    auto& protectee = shared_server();
    std::vector<std::string> command{protectee.binary().string(), "--config",
                                     (how.config.empty() ? protectee.config_file() : how.config).string()};
    command.insert(command.end(), words.begin(), words.end());
    base::ProcessOptions options;
    if (::geteuid() == 0 && !how.as_ourselves) options.user = protectee.server().user();
    options.environment = how.environment;
    options.working_directory = how.directory.empty() ? protectee.workspace() : how.directory;
    options.timeout = std::chrono::minutes(1);
    return base::run_process(command, options);
}

void expect_refused(const std::vector<std::string>& words, const Refusal& refusal) {
    auto& protectee = shared_server();
    std::string title;
    for (const auto& word : words) title += word + " ";
    SCOPED_TRACE(title);
    std::vector<fs::path> folders{protectee.server().data_directory(), protectee.repository(), protectee.state()};
    folders.insert(folders.end(), refusal.also.begin(), refusal.also.end());
    const auto before = look_at(folders);
    const auto result = run_program(words, refusal);
    EXPECT_EQ(result.exit_code, refusal.exit_code) << result.errors;
    EXPECT_NE(result.errors.find(refusal.message), std::string::npos) << "wanted: " << refusal.message << "\nfound: " << result.errors;
    EXPECT_NE(result.errors.find("howdah: "), std::string::npos) << result.errors;
    const auto hint = result.errors.find("\nHINT: ");
    EXPECT_TRUE(hint != std::string::npos && result.errors.size() > hint + 10) << result.errors;
    EXPECT_EQ(difference(before, look_at(folders)), "");
}

}  // namespace howdah::tests
