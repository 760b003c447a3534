#include "archive/push_order.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "archive/server_runs.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"

namespace howdah::archive {

using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;

std::string marker_of(storage::Store& store) {
    constexpr const char* kMarker = "repository";
    auto marker = store.get(kMarker, {64u << 10});
    if (!marker)
        throw Failure(FailureKind::repository, fmt::format("no repository at {}", store.location()), "mount it, or run howdah repo init");
    marker->erase(std::min(marker->find('\n'), marker->size()));
    return *std::move(marker);
}

Acknowledgements acknowledgements(const PushOptions& options) { return Acknowledgements(options.acknowledgements / options.cluster); }

std::optional<Promise> promised(const Acknowledgements& promises, const PushOptions& options) {
    const std::string name = options.path.filename().string();
    if (!promises.exists(name)) return std::nullopt;
    return promises.promise(name, stamp_of(options.path));
}

bool holds_what_was_promised(const Promise& promise, const PushOptions& options, storage::Store& store) {
    const std::string marker = marker_of(store);
    if (std::find(promise.markers.begin(), promise.markers.end(), marker) == promise.markers.end()) return false;
    if (!base::guard("T19.durable") || store.exists(promise.object)) return true;
    base::log_warning("{} was pushed before and is not in {} any more: it is pushed again", options.path.filename().string(),
                      store.location());
    return false;
}

void require_finished(const std::filesystem::path& data_directory, const PushOptions& options, std::uint64_t segment_size) {
    const std::string name = options.path.filename().string();
    if (postgres::classify_wal_file(name) != WalFileKind::segment) return;
    const auto segment = postgres::parse_segment_name(name, segment_size);
    std::error_code error;
    if (!segment || !std::filesystem::exists(options.path, error) || segment_complete(data_directory, *segment, segment_size)) return;
    const std::string what = fmt::format("WAL segment {} is not finished: the server still writes into it", name);
    if (server_runs(data_directory))
        throw Failure(
            FailureKind::operation, what,
            fmt::format("SELECT pg_switch_wal() finishes it, and the server then archives it by itself; if no server uses that "
                        "directory any more, on this host or in a container (head -1 {0} is its process), remove {0} and end what is "
                        "left of it (fuser {1} lists who works there)",
                        (data_directory / "postmaster.pid").string(), data_directory.string()));
    if (!options.unfinished)
        throw Failure(
            FailureKind::operation, what,
            "start the server, which goes on with it and archives it; --unfinished stores it as it is, when that server is lost for good");
}

std::vector<std::string> push_order(const PushOptions& options, const std::vector<std::string>& ready, const Acknowledgements& promises) {
    const std::string named = options.path.filename().string();
    std::vector<std::string> names{named};
    if (postgres::classify_wal_file(named) != WalFileKind::segment) return names;
    for (const std::string& name : ready) {
        if (names.size() > options.ahead) break;
        if (name > named && postgres::classify_wal_file(name) == WalFileKind::segment && !promises.exists(name)) names.push_back(name);
    }
    return names;
}

}  // namespace howdah::archive
