#include "highlight.h"

#include <algorithm>

#include "output.h"

namespace lambert {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// Whether a sentence ends with the byte at `i`: a line's end, or . ! ? before white space.
bool ends_sentence(std::string_view text, std::size_t i) {
  if (text[i] == '\n') return true;
  return (text[i] == '.' || text[i] == '!' || text[i] == '?') &&
         (i + 1 == text.size() || is_space(text[i + 1]));
}

bool inside_character(std::string_view text, std::size_t i) {
  return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
}

}  // namespace

std::string highlight(std::string_view context, std::size_t start, std::size_t end, bool colors,
                      std::size_t reach) {
  end = std::min(end, context.size());
  start = std::min(start, end);
  std::size_t first = start;
  while (first > 0 && start - first < reach && !ends_sentence(context, first - 1)) --first;
  while (first < start && (is_space(context[first]) || inside_character(context, first))) ++first;
  std::size_t last = end;
  bool ended = end > start && ends_sentence(context, end - 1);
  while (last < context.size() && last - end < reach && !ended) {
    ended = ends_sentence(context, last++);
  }
  while (last > end && (is_space(context[last - 1]) || inside_character(context, last))) --last;

  std::string shown = for_terminal(context.substr(first, start - first));
  shown += colors ? "\x1b[1;32m" : "»";
  shown += for_terminal(context.substr(start, end - start));
  shown += colors ? "\x1b[0m" : "«";
  return shown + for_terminal(context.substr(end, last - end));
}

}  // namespace lambert
