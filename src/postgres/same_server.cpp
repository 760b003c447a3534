#include "postgres/same_server.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>

#include "base/file.hpp"
#include "postgres/control_file.hpp"

namespace howdah::postgres {

namespace {

namespace fs = std::filesystem;

/// The lock file's time is taken when the server's first process begins, the one of pg_postmaster_start_time after libraries are loaded
/// and shared memory is made: milliseconds later as a rule, longer with huge shared buffers or slow name look-up.
constexpr std::int64_t kLongestStart = 60;

template <typename Number>
bool parse_line(std::string_view line, Number& number) {
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    return error == std::errc() && end == line.data() + line.size();
}

bool is_standby(ClusterState state) { return state == ClusterState::in_archive_recovery || state == ClusterState::shut_down_in_recovery; }

std::string when(std::int64_t seconds) { return base::text(base::Timestamp(std::chrono::seconds(seconds))); }

/// The latest checkpoint, as a file and the server's view of its own file name it.
struct Checkpoint {
    base::Lsn place;
    base::Timestamp time;
    bool operator==(const Checkpoint&) const = default;
};

Checkpoint checkpoint_here(const fs::path& data_directory) {
    const auto control = read_control_file(data_directory);
    return {control.checkpoint, control.checkpoint_time};
}

Checkpoint checkpoint_of_server(Session& session) {
    const auto rows =
        session.query("SELECT checkpoint_lsn, floor(extract(epoch FROM checkpoint_time))::bigint FROM pg_control_checkpoint()");
    const auto place = rows.size() == 1 ? base::parse_lsn(rows.text(0, 0)) : std::nullopt;
    if (!place) throw base::Failure(base::FailureKind::operation, "reading the latest checkpoint from the server: it names none");
    return {*place, base::Timestamp(std::chrono::seconds(rows.integer(0, 1)))};
}

std::string text(const Checkpoint& checkpoint) {
    return fmt::format("{} of {}", base::text(checkpoint.place), base::text(checkpoint.time));
}

}  // namespace

std::optional<PostmasterFile> parse_postmaster_file(std::string_view text) {
    std::array<std::string_view, 3> lines;
    for (auto& line : lines) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        line = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    PostmasterFile file;
    if (!parse_line(lines[0], file.pid) || !parse_line(lines[2], file.started)) return std::nullopt;
    return file;
}

std::optional<std::string> why_not_running_on(Session& session, const fs::path& data_directory) {
    const auto path = data_directory / "postmaster.pid";
    const auto content = base::read_file_if_exists(path);
    if (!content) return fmt::format("no server runs there: {} does not exist", path.string());
    const auto file = parse_postmaster_file(*content);
    if (!file) return fmt::format("{} is not a server's lock file", path.string());
    const auto rows = session.query("SELECT floor(extract(epoch FROM pg_postmaster_start_time()))::bigint, pg_is_in_recovery()");
    if (!rows.boolean(0, 1) && is_standby(read_control_file(data_directory).state))
        return "the server there is a standby, the connected one a primary";
    const auto started = rows.integer(0, 0);
    if (started < file->started - 1 || started > file->started + kLongestStart)
        return fmt::format("the server there was started at {}, the connected one at {}", when(file->started), when(started));
    return std::nullopt;
}

std::optional<std::string> why_not_started_on(Session& session, const BackupStarted& started, const fs::path& data_directory) {
    const auto control = read_control_file(data_directory);
    if (control.state != ClusterState::in_production) return "pg_control there is not of a running primary";
    if (control.timeline != started.timeline)
        return fmt::format("pg_control there is of timeline {}, the backup of {}", base::text(control.timeline),
                           base::text(started.timeline));
    if (control.redo < started.start)
        return fmt::format("pg_control there has no checkpoint from {} on, with which the backup began", base::text(started.start));
    // Another checkpoint may end between two looks, but not between all of them.
    constexpr int kLooks = 5;
    for (int look = 1;; ++look) {
        const auto before = checkpoint_here(data_directory);
        const auto server = checkpoint_of_server(session);
        const auto after = checkpoint_here(data_directory);
        if (server == before || server == after) return std::nullopt;
        if (look == kLooks) return fmt::format("the latest checkpoint there is {}, the connected server's {}", text(after), text(server));
    }
}

}  // namespace howdah::postgres
