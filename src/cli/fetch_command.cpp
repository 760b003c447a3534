#include "cli/fetch_command.hpp"

#include "base/process.hpp"

namespace howdah::cli {

restore::FetchCommand fetch_command(const Context& context, const std::string& cluster, bool standby) {
    std::vector<std::string> words{base::own_binary().string()};
    if (!context.config_file.empty()) words.insert(words.end(), {"--config", std::filesystem::absolute(context.config_file).string()});
    words.insert(words.end(), {"--cluster", cluster, "--repository", context.repository_config().name, "wal", "fetch", "%f", "%p"});
    if (standby) words.push_back("--standby");
    return {std::move(words)};
}

}  // namespace howdah::cli
