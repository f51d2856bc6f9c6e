// A file that bears its name only when it is complete: it grows as PATH.partial, locked.
#pragma once

#include <string>

namespace lambert {

// Opens `path` for writing, made where it is not there, and locks it: the file that bears the name
// at that time. `flags` go to open(2) in addition. Throws kIo, also where another process holds it.
int open_partial(const std::string& path, int flags);

// Brings the file of `fd`, called `partial`, to the disk under the name `path`. Throws kIo.
void finish_partial(int fd, const std::string& partial, const std::string& path);

// Throws kIo with what errno says: "NAME: WHAT: No space left on device".
[[noreturn]] void fail_errno(const std::string& name, const std::string& what);

}  // namespace lambert
