#pragma once

#include <exception>
#include <string>

namespace howdah::base {

/// What kind of failure it is. The values are the exit codes of the program (DESIGN section 5); commands that PostgreSQL calls
/// map them to their own.
enum class FailureKind : int {
    operation = 1,      ///< The operation failed or was refused, or a check found something.
    usage = 2,          ///< Wrong use of the command line or of an argument.
    configuration = 3,  ///< Configuration, a missing or wrong key, another cluster's data directory.
    server = 4,         ///< The server cannot be reached or refuses the login.
    repository = 5,     ///< The repository is absent, unreadable or unwritable.
    locked = 6,         ///< A live run holds the lease or the lock.
};

/// An operation that failed as a whole. `what()` follows one grammar, "what failed: the value seen"; `hint()` says what to do and
/// may be empty only where nothing can be advised. Neither ever holds a secret.
class Failure : public std::exception {
public:
    Failure(FailureKind kind, std::string what, std::string hint = {});
    ~Failure() override;
    Failure(const Failure&) = default;
    Failure& operator=(const Failure&) = default;

    FailureKind kind() const noexcept { return kind_; }
    const char* what() const noexcept override { return what_.c_str(); }
    const std::string& hint() const noexcept { return hint_; }

    /// Both lines as people see them: "what" and, if there is a hint, "\nHINT: hint".
    std::string text() const;

    /// The same failure with `prefix: ` before its text: how a caller adds what it was doing.
    Failure within(const std::string& prefix) const;

private:
    FailureKind kind_;
    std::string what_;
    std::string hint_;
};

/// A failure of a system call: "what: strerror(error)" with the errno kept. A full disk and a missing permission get their own hint.
class SystemFailure : public Failure {
public:
    SystemFailure(FailureKind kind, const std::string& what, int error, std::string hint = {});
    ~SystemFailure() override;
    int error() const noexcept { return error_; }

private:
    int error_;
};

/// Thrown by work that was told to stop (base/cancellation.hpp). The program exits 1 after it, or by the signal received.
class Cancelled : public Failure {
public:
    explicit Cancelled(const std::string& what);
    ~Cancelled() override;
};

}  // namespace howdah::base
