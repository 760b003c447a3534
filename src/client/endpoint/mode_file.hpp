#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "howdah/breaker.hpp"

namespace howdah::inline v0 {

/// A file by which operators set a breaker's mode while the service runs: its first word is the mode's name. Used by one thread at a time;
/// looking costs one stat(2) while nothing changes.
class ModeFile {
public:
    /// An empty path: no file is looked at. `otherwise` is the mode while there is none.
    ModeFile(std::string path, BreakerMode otherwise) : path_(std::move(path)), otherwise_(otherwise) {}

    struct Seen {
        std::optional<BreakerMode> mode;  ///< None when the file makes no sense: the mode stays as it is.
        std::string what;                 ///< For the log.
    };
    /// What the file says, when it is another one than at the last look, or changed since.
    std::optional<Seen> look();

private:
    /// What tells two states of a file apart; all zero when there is none.
    struct Stamp {
        std::uint64_t device = 0, inode = 0;
        std::int64_t size = 0, seconds = 0, nanoseconds = 0;
        int error = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    Stamp stamp() const;
    Seen read() const;

    std::string path_;
    BreakerMode otherwise_;
    Stamp last_;
};

}  // namespace howdah::inline v0
