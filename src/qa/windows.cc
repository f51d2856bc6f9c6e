#include "qa/windows.h"

#include <algorithm>

#include "base/error.h"

namespace lambert {
namespace {

void append_tokens(const Encoding& encoding, std::size_t begin, std::size_t end,
                   std::int32_t type_id, Window& window) {
  window.ids.insert(window.ids.end(), encoding.ids.begin() + static_cast<std::ptrdiff_t>(begin),
                    encoding.ids.begin() + static_cast<std::ptrdiff_t>(end));
  window.type_ids.insert(window.type_ids.end(), end - begin, type_id);
}

}  // namespace

WindowPlan plan_windows(std::size_t question_tokens, std::size_t context_tokens,
                        std::size_t special_tokens, const ResolvedParameters& parameters) {
  WindowPlan plan;
  plan.question_tokens = parameters.mode == Mode::kHf
                             ? question_tokens
                             : std::min(question_tokens, parameters.max_question_len);
  plan.context_tokens = context_tokens;
  plan.special_tokens = special_tokens;
  plan.count = 1;
  const std::size_t taken = plan.question_tokens + special_tokens;
  const std::size_t room = parameters.max_seq_len > taken ? parameters.max_seq_len - taken : 0;
  plan.width = room;
  if (taken <= parameters.max_seq_len && context_tokens <= room) {
    plan.step = context_tokens;  // of no consequence: there is no second window
    return plan;
  }
  if (room == 0) {
    fail(ErrorCode::kInvalidInput, "question: its ", plan.question_tokens, " tokens and ",
         special_tokens, " special tokens leave no room for context in windows of ",
         parameters.max_seq_len, " tokens (max_seq_len); ask a shorter question or raise ",
         "max_seq_len");
  }
  if (parameters.doc_stride >= room) {
    fail(ErrorCode::kInvalidArgument, "doc_stride is ", parameters.doc_stride,
         ", but must be less than the ", room,
         " context tokens that fit into a window (max_seq_len ", parameters.max_seq_len, " less ",
         plan.question_tokens, " question and ", special_tokens,
         " special tokens); lower doc_stride or raise max_seq_len");
  }
  plan.step = room - parameters.doc_stride;
  plan.count = 1 + (context_tokens - room + plan.step - 1) / plan.step;
  return plan;
}

void make_window(const Tokenizer& tokenizer, const Encoding& question, const Encoding& context,
                 const WindowPlan& plan, std::size_t index, Window& window) {
  window.ids.clear();
  window.type_ids.clear();
  window.first_token = plan.begin(index);
  window.context_tokens = plan.end(index) - plan.begin(index);
  for (const TemplatePiece& piece : tokenizer.pair_template()) {
    switch (piece.kind) {
      case TemplatePiece::Kind::kSpecial:
        window.ids.push_back(piece.id);
        window.type_ids.push_back(piece.type_id);
        break;
      case TemplatePiece::Kind::kQuestion:
        append_tokens(question, 0, plan.question_tokens, piece.type_id, window);
        break;
      case TemplatePiece::Kind::kContext:
        window.context_begin = window.ids.size();
        append_tokens(context, plan.begin(index), plan.end(index), piece.type_id, window);
        break;
    }
  }
  window.allowed.assign(window.ids.size(), 0);
  std::fill_n(window.allowed.begin() + static_cast<std::ptrdiff_t>(window.context_begin),
              window.context_tokens, std::uint8_t{1});
  if (!tokenizer.cls_id()) return;
  for (std::size_t i = 0; i < window.ids.size(); ++i) {
    if (window.ids[i] == *tokenizer.cls_id()) window.allowed[i] = 1;
  }
}

}  // namespace lambert
