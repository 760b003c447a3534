#include "drill/demo_ground.hpp"

#include <fmt/core.h>

#include "archive/setup.hpp"
#include "base/file.hpp"
#include "base/process.hpp"

namespace howdah::drill {

namespace {

namespace fs = std::filesystem;

postgres::ScratchServer make_server() {
    postgres::ScratchOptions options;
    options.settings = {{"archive_mode", "on"}, {"archive_timeout", "300"}, {"wal_level", "replica"}, {"max_wal_size", "2GB"}};
    return postgres::ScratchServer(options);
}

std::string configuration(const postgres::ScratchServer& server, const fs::path& folder) {
    return fmt::format(
        "[cluster.demo]\nconninfo = \"{}\"\ndata_directory = \"{}\"\nprogram_directory = \"{}\"\n\n"
        "[repository.demo]\nurl = \"file://{}/repository\"\nkey_file = \"{}/repository.key\"\n\n"
        "[state]\ndirectory = \"{}/state\"\n\n[log]\nlevel = \"warning\"\n",
        server.conninfo(), server.data_directory().string(), server.programs().string(), folder.string(), folder.string(), folder.string());
}

}  // namespace

DemoGround::DemoGround() : server_(make_server()) {
    const auto& folder = server_.workspace();
    config_file_ = folder / "howdah.toml";
    binary_ = folder / "howdah";
    base::write_file_durably(config_file_, configuration(server_, folder));
    fs::copy_file("/proc/self/exe", binary_);
    fs::permissions(binary_, fs::perms::owner_all);
    config_ = base::load_config(config_file_);
    auto open = session();
    const archive::SetupOptions setup{.binary = binary_, .config_file = config_file_, .cluster = "demo", .force = false};
    open.query("ALTER SYSTEM SET archive_command = " + open.quote_literal(archive::archive_command(setup)));
    open.query("SELECT pg_reload_conf()");
}

}  // namespace howdah::drill
