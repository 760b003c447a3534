#include "reference.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "base/cancellation.hpp"
#include "base/file.hpp"
#include "base/process.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

namespace {

void as_server(ProtectedServer& protectee, const std::vector<std::string>& words) {
    base::ProcessOptions options;
    if (::geteuid() == 0) options.user = protectee.server().user();
    base::run_process_checked(words.front(), words, options);
}

/// A copy with tablespaces of its own, in folders beside it.
void copy_cluster(ProtectedServer& protectee, const fs::path& from, const fs::path& to) {
    as_server(protectee, {"/bin/cp", "-a", from.string(), to.string()});
    for (const auto& entry : fs::directory_iterator(from / "pg_tblspc")) {
        if (!entry.is_symlink()) continue;
        const auto space = to.string() + "-space-" + entry.path().filename().string();
        as_server(protectee, {"/bin/cp", "-a", fs::read_symlink(entry.path()).string(), space});
        as_server(protectee, {"/bin/ln", "-sfn", space, (to / "pg_tblspc" / entry.path().filename()).string()});
    }
}

}  // namespace

Reference::Reference(ProtectedServer& protectee, const std::string& name) : protectee_(protectee), base_(protectee.workspace() / name) {
    std::vector<std::string> words{"-D", base_.string(), "-X", "stream", "-c", "fast", "--no-sync"};
    auto session = protectee.session();
    for (const auto& space : postgres::read_tablespaces(session))
        if (!space.location.empty() && !space.in_place)
            words.push_back(fmt::format("--tablespace-mapping={}={}-space-{}", space.location, base_.string(), space.oid));
    const auto taken = protectee.server().run("pg_basebackup", words);
    if (taken.exit_code != 0) throw std::runtime_error("pg_basebackup: " + taken.errors);
}

Reference::~Reference() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(base_.parent_path(), ignored))
        if (entry.path().filename().string().starts_with(base_.filename().string())) fs::remove_all(entry.path(), ignored);
}

fs::path Reference::at(const std::string& stop) const {
    static int number = 0;
    const fs::path copy = base_.string() + fmt::format("-copy{}", ++number);
    copy_cluster(protectee_, base_, copy);
    as_server(protectee_, {"/bin/touch", (copy / "standby.signal").string()});
    postgres::ScratchOptions options;
    options.directory = copy;
    options.programs = protectee_.server().programs();
    options.shared_buffers = {32u << 20};
    options.settings = {{"archive_mode", "off"},
                        {"primary_conninfo", protectee_.server().conninfo("replication")},
                        {"recovery_target_lsn", stop},
                        {"recovery_target_inclusive", "off"},
                        {"recovery_target_action", "promote"},
                        {"recovery_target_timeline", "latest"},
                        {"wal_retrieve_retry_interval", "100ms"}};
    auto server = postgres::ScratchServer::adopt(options);
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    const base::Cancellation never;
    for (postgres::Session session(server.conninfo()); session.value("SELECT pg_is_in_recovery()") == "t";) {
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the replica has not come to " + stop + " in two minutes");
        never.sleep(std::chrono::milliseconds(20));
    }
    server.stop();
    return copy;
}

}  // namespace howdah::tests
