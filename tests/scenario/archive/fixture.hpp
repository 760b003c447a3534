#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "archive/wal_archive.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "postgres/control_file.hpp"
#include "postgres/scratch.hpp"
#include "postgres/session.hpp"
#include "support/programs.hpp"

namespace howdah::archive::test {

namespace fs = std::filesystem;

/// A private server that archives nothing yet, and beside it a configuration, a repository and a state folder, all its user's own.
class ArchiveScenario : public testing::Test {
protected:
    static postgres::ScratchOptions options(unsigned segment_mib = 1) {
        postgres::ScratchOptions scratch;
        scratch.wal_segment_mib = segment_mib;
        scratch.settings = {
            {"wal_keep_size", "512MB"}, {"max_wal_size", "1GB"},      {"min_wal_size", fmt::format("{}MB", 2 * segment_mib)},
            {"archive_mode", "on"},     {"archive_command", "false"}, {"autovacuum", "off"}};
        return scratch;
    }

    /// Server, configuration and `repo init`.
    void begin(const postgres::ScratchOptions& scratch) {
        server_.emplace(scratch);
        work_ = server_->workspace();
        const std::string text = fmt::format(
            "[cluster.main]\nconninfo = \"{}\"\ndata_directory = \"{}\"\n[repository.main]\nurl = \"file://{}\"\nkey_file = \"{}\"\n"
            "[state]\ndirectory = \"{}\"\n[backup]\njobs = 1\n",
            server_->conninfo(), data().string(), repository_folder().string(), (work_ / "key").string(), (work_ / "state").string());
        base::write_file_durably(config(), text, 0644);
        give(config());
        const auto made = howdah({"repo", "init"});
        ASSERT_EQ(made.exit_code, 0) << made.errors;
    }

    const fs::path& data() const { return server_->data_directory(); }
    fs::path pg_wal() const { return data() / "pg_wal"; }
    fs::path config() const { return work_ / "howdah.toml"; }
    fs::path repository_folder() const { return work_ / "repository"; }
    void give(const fs::path& path) const { EXPECT_EQ(::chown(path.c_str(), server_->user().uid, server_->user().gid), 0); }

    /// Runs the program as the server does: its user, in the data directory.
    base::ProcessResult howdah(std::vector<std::string> words, const std::map<std::string, std::string>& environment = {},
                               const fs::path& where = {}) const {
        base::ProcessOptions process;
        process.user = server_->user();
        process.environment = environment;
        process.working_directory = where.empty() ? data() : where;
        const bool hooks = environment.contains("HOWDAH_FAULT") || std::getenv("HOWDAH_GUARDS_OFF");
        words.insert(words.begin(),
                     {(hooks ? tests::howdah_hooks_program() : tests::howdah_program()).string(), "--config", config().string()});
        return base::run_process(words, process);
    }
    base::ProcessResult push(const std::string& name, const std::map<std::string, std::string>& environment = {}) const {
        return howdah({"wal", "push", "pg_wal/" + name}, environment);
    }
    base::ProcessResult fetch(const std::string& name, const fs::path& to) const {
        return howdah({"wal", "fetch", name, to.string(), "--wait", "0"});
    }

    postgres::Session session() const { return postgres::Session(server_->conninfo()); }
    /// Writes something and ends the segment: its name.
    static std::string switch_segment(postgres::Session& session) {
        session.query("SELECT pg_logical_emit_message(true, 'test', repeat('x', 2000))");
        return session.value("SELECT pg_walfile_name(pg_switch_wal())");
    }
    std::vector<std::string> switch_segments(unsigned count) const {
        postgres::Session asking = session();
        std::vector<std::string> names;
        for (unsigned i = 0; i < count; ++i) names.push_back(switch_segment(asking));
        return names;
    }

    repository::Repository repository() const {
        base::RepositoryConfig settings;
        settings.name = "main";
        settings.url = "file://" + repository_folder().string();
        settings.key_file = work_ / "key";
        return repository::Repository::open(settings);
    }
    repository::ClusterArea area() const { return {"main", postgres::read_control_file(data()).system_identifier}; }
    /// Whether the archive's bytes are those of pg_wal.
    void expect_archived(const std::string& name) const {
        const auto open = repository();
        const WalArchive archive(open, area());
        repository::SealContext context;
        const auto bytes = archive.get(name, context);
        ASSERT_TRUE(bytes) << name;
        EXPECT_TRUE(base::as_text(*bytes) == base::read_file(pg_wal() / name, {1u << 30})) << name;
    }
    bool archived(const std::string& name) const {
        const auto open = repository();
        return WalArchive(open, area()).has(name);
    }

    std::optional<postgres::ScratchServer> server_;
    fs::path work_;
};

}  // namespace howdah::archive::test
