#include "repository/damage.hpp"

#include <fmt/core.h>

namespace howdah::repository {

namespace {

constexpr const char* kAnyObject =
    "howdah backup verify names every damaged object and the backups that need it; use another backup or another copy of the repository";

}  // namespace

DamageFailure::DamageFailure(std::string object, std::string what, std::string hint)
    : Failure(base::FailureKind::operation, fmt::format("object {} is damaged: {}", object, what),
              hint.empty() ? kAnyObject : std::move(hint)),
      object_(std::move(object)),
      damage_(std::move(what)) {}
DamageFailure::~DamageFailure() = default;

void throw_damaged(const std::string& name, std::string_view what) { throw DamageFailure(name, std::string(what)); }

}  // namespace howdah::repository
