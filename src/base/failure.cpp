#include "base/failure.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace howdah::base {

namespace {

std::string hint_for(int error, std::string hint) {
    if (!hint.empty()) return hint;
    switch (error) {
        case ENOSPC:
        case EDQUOT: return "free space on that file system, then run the command again; nothing half-written is used";
        case EACCES:
        case EPERM: return "give the user that runs this command access, or run it as the owner of that path";
        case EROFS: return "the file system is mounted read-only";
        default: return {};
    }
}

}  // namespace

Failure::Failure(FailureKind kind, std::string what, std::string hint) : kind_(kind), what_(std::move(what)), hint_(std::move(hint)) {}
Failure::~Failure() = default;

std::string Failure::text() const { return hint_.empty() ? what_ : what_ + "\nHINT: " + hint_; }

Failure Failure::within(const std::string& prefix) const { return Failure(kind_, prefix + ": " + what_, hint_); }

SystemFailure::SystemFailure(FailureKind kind, const std::string& what, int error, std::string hint)
    : Failure(kind, what + ": " + std::strerror(error), hint_for(error, std::move(hint))), error_(error) {}
SystemFailure::~SystemFailure() = default;

Cancelled::Cancelled(const std::string& what) : Failure(FailureKind::operation, what, "run the command again; it goes on or starts anew") {}
Cancelled::~Cancelled() = default;

}  // namespace howdah::base
