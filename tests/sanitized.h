// LAMBERT_SANITIZED: 1 where a sanitizer runs that takes memory and operator new for itself, else
// 0.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LAMBERT_SANITIZED 1
#elif defined(__has_feature)
#define LAMBERT_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define LAMBERT_SANITIZED 0
#endif
