#pragma once

#include <string>
#include <string_view>

#include "base/failure.hpp"

namespace howdah::repository {

/// Damage found: which object and what, and the backups that need it.
struct Damage {
    std::string object;
    std::string what;
};

/// A failure about one object, which keeps the object's name apart.
class DamageFailure : public base::Failure {
public:
    /// Without a hint: the one that fits any object.
    DamageFailure(std::string object, std::string what, std::string hint = {});
    ~DamageFailure() override;
    const std::string& object() const noexcept { return object_; }
    const std::string& damage() const noexcept { return damage_; }

private:
    std::string object_, damage_;
};

/// Failure(operation) "object NAME is damaged: what".
[[noreturn]] void throw_damaged(const std::string& name, std::string_view what);

}  // namespace howdah::repository
