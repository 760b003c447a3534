// `config check` names every mistake, those outside the file too.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "ground.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

class Checked : public testing::Test {
protected:
    fs::path at(const char* name) const { return place_.path() / name; }

    void write(const std::string& cluster, const std::string& repository, const std::string& more = {}) const {
        base::write_file_durably(at("howdah.toml"),
                                 fmt::format("[cluster.main]\n{}\n[repository.main]\nurl = \"file://{}\"\n{}\n{}", cluster,
                                             at("repository").string(), repository, more),
                                 0644);
    }
    base::ProcessResult check() const { return run_bare({"--config", at("howdah.toml").string(), "config", "check"}); }

    base::TemporaryDirectory place_{"cli-config"};
};

TEST_F(Checked, NothingConfigured) {
    base::write_file_durably(at("howdah.toml"), "# nothing\n", 0644);
    expect_answer(check(), 3, {"howdah.toml: repository: no repository is configured", "HINT"});
}

TEST_F(Checked, WhatLibpqCannotRead) {
    write("conninfo = \"bla bla\"", "");
    expect_answer(check(), 3, {"howdah.toml:2: cluster.main.conninfo: no keyword=value and no URI: bla bla", "HINT"});
    write("conninfo = \"hosst=/nowhere\"", "");
    expect_answer(check(), 3, {"howdah.toml:2: cluster.main.conninfo: libpq cannot read it", "hosst", "HINT"});
    write("data_directory = \"/nowhere/at/all\"", "");
    expect_answer(
        check(), 3,
        {"cluster.main.conninfo: missing", "howdah.toml:2: cluster.main.data_directory: there is no such folder: /nowhere/at/all"});
}

TEST_F(Checked, Keys) {
    const std::string cluster = "conninfo = \"host=/var/run/postgresql\"";
    const auto key = at("repository.key");
    write(cluster, fmt::format("key_file = \"{}\"", key.string()));
    expect_answer(check(), 0, {"sound"});  // repo init makes it
    fs::create_directory(at("repository"));
    base::write_file_durably(at("repository") / "repository", "marker\n");
    expect_answer(check(), 3, {"repository.main.key_file: there is no such file", "bring the copy back"});
    base::write_file_durably(key, "damaged\n", 0600);
    expect_answer(check(), 3, {"repository.main.key_file: key file is not one line of base64", "bring back the copy"});
    base::write_file_durably(key, std::string(43, 'A') + "=\n", 0600);
    expect_answer(check(), 0, {"sound"});
    fs::permissions(key, fs::perms::others_read, fs::perm_options::add);
    expect_answer(check(), 3, {"other users have rights to", "0604", "chmod 600"});
    fs::permissions(key, fs::perms::owner_read);
    base::write_file_durably(at("passphrase"), "open sesame\n", 0600);
    write(cluster, fmt::format("key_file = \"{}\"\npassphrase_file = \"{}\"", key.string(), at("passphrase").string()));
    expect_answer(check(), 3, {"both key_file and passphrase_file are set"});
}

TEST_F(Checked, AKeyThatTheServersUserCannotRead) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root becomes another user";
    const auto key = at("repository.key");
    base::write_file_durably(key, std::string(43, 'A') + "=\n", 0600);
    fs::permissions(place_.path(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    const auto& server = shared_server().server();
    write(fmt::format("conninfo = \"{}\"\ndata_directory = \"{}\"", server.conninfo(), server.data_directory().string()),
          fmt::format("key_file = \"{}\"", key.string()));
    expect_answer(check(), 3, {"cannot read " + key.string(), "chown " + server.user().name});
}

TEST_F(Checked, DurationsWithoutAUnit) {
    write("conninfo = \"host=/var/run/postgresql\"", "", "[objective]\nrpo = 15\n");
    expect_answer(check(), 3, {"objective.rpo: a duration without a unit: 15"});
}

}  // namespace
}  // namespace howdah::tests
