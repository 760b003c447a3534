#include "cli/fetch_command.hpp"

#include "base/log.hpp"
#include "base/process.hpp"

namespace howdah::cli {

WalSources wal_sources(const Context& context) {
    WalSources sources;
    sources.names.push_back(context.repository_config().name);
    for (const auto& config : context.config.wal_repositories()) {
        if (config.name == sources.names.front()) continue;
        try {
            sources.others.push_back(repository::Repository::open(config));
            sources.names.push_back(config.name);
        } catch (const base::Failure& failure) {
            base::log_warning("repository {} cannot be asked, and WAL that only it holds is not replayed: {}", config.name, failure.what());
        }
    }
    return sources;
}

restore::FetchCommand fetch_command(const Context& context, const std::string& cluster, const std::vector<std::string>& repositories,
                                    bool standby) {
    std::vector<std::string> words{base::own_binary().string()};
    if (!context.config_file.empty()) words.insert(words.end(), {"--config", std::filesystem::absolute(context.config_file).string()});
    words.insert(words.end(), {"--cluster", cluster});
    if (repositories.size() == 1) words.insert(words.end(), {"--repository", repositories.front()});
    words.insert(words.end(), {"wal", "fetch", "%f", "%p"});
    if (repositories.size() > 1)
        for (const std::string& name : repositories) words.insert(words.end(), {"--from", name});
    if (standby) words.push_back("--standby");
    return {std::move(words)};
}

}  // namespace howdah::cli
