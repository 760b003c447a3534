#pragma once

#include <string>

namespace howdah::backup {

/// Makes system calls of this executable fail with an I/O error as a broken disk does, for as long as the object lives: readdir(3) of
/// folders and readlink(2) of links whose path ends so. One at a time.
class FailingCalls {
public:
    explicit FailingCalls(std::string path_end);
    ~FailingCalls();
    FailingCalls(const FailingCalls&) = delete;
    FailingCalls& operator=(const FailingCalls&) = delete;
};

}  // namespace howdah::backup
