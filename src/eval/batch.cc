#include "eval/batch.h"

#include <deque>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "eval/line_reader.h"
#include "eval/output_file.h"
#include "eval/question_source.h"
#include "wire/json_writer.h"
#include "wire/result_line.h"

namespace lambert {

namespace {

void check_paths(const BatchOptions& options) {
  if (options.resume && renameable(options.output).empty()) {
    fail(ErrorCode::kInvalidArgument, "--resume needs an --output file, found ",
         quote(options.output));
  }
  check_not_input(options.input, options.output, "--output");
}

// Whether `line` is an error record; checks that it is the result of the question with id `id`.
bool check_result(std::string_view line, const std::string& id, const std::string& place) {
  JsonLimits limits;
  limits.max_bytes = std::size_t{1} << 30;
  const boost::json::value value = parse_json(line, place, ErrorCode::kInvalidArgument, limits);
  const auto* object = value.if_object();
  // The line begins with the id as result_line wrote it.
  if (object == nullptr || !line.starts_with("{\"id\":" + id + ",")) {
    const auto* found = object == nullptr ? nullptr : object->if_contains("id");
    fail(ErrorCode::kInvalidArgument, place, ": is the result of id ",
         found == nullptr ? "(none)" : scalar_json(*found), ", but the input has id ", id,
         " there; it belongs to another input: remove it or leave out --resume");
  }
  return object->contains("error");
}

// Goes through the results of an earlier run at `path` and as many questions of `source`.
void skip_done(const std::string& path, QuestionSource& source, BatchProgress& progress) {
  LineReader results(path, std::size_t{1} << 30);
  while (const auto line = results.next()) {
    const std::string place = path + ": line " + std::to_string(line->number);
    const auto question = source.next();
    if (!question) {
      fail(ErrorCode::kInvalidArgument, place, ": there are more results than questions in ",
           source.name(), "; remove it or leave out --resume");
    }
    if (check_result(line->text, question->id, place)) ++progress.failed;
    ++progress.done;
    ++progress.resumed;
  }
}

// Whether an earlier run came to its end: there is an output and no partial one.
bool finished_before(const BatchOptions& options, QuestionSource& source, BatchProgress& progress) {
  const std::string path = renameable(options.output);
  if (std::filesystem::exists(path + ".partial") || !std::filesystem::exists(path)) return false;
  skip_done(path, source, progress);
  if (source.next()) {
    fail(ErrorCode::kInvalidArgument, path, ": has results for the first ", progress.done,
         " questions only, and there is no .partial to resume; remove it or leave out --resume");
  }
  return true;
}

}  // namespace

BatchProgress run_batch(const BatchOptions& options, const Submit& submit) {
  check_paths(options);
  QuestionSource source(options.input, options.defaults, options.max_line_bytes);
  BatchProgress progress;
  if (options.resume && finished_before(options, source, progress)) return progress;
  OutputFile output(options.output, options.resume ? Partial::kResume : Partial::kNew);
  if (options.resume) skip_done(output.partial_path(), source, progress);

  std::deque<double> fractions;  // of the input, up to each question in flight
  InOrder run;
  run.limits = options.in_flight;
  run.submit = submit;
  run.next = [&] {
    auto question = source.next();
    if (question) fractions.push_back(source.fraction());
    return question;
  };
  run.ready = [&] { return source.ready(); };
  run.emit = [&](const std::string& id, const Outcome& outcome) {
    const auto* error = std::get_if<Error>(&outcome);
    output.append(error == nullptr ? result_line(id, std::get<Result>(outcome))
                                   : error_line(id, *error));
    ++progress.done;
    if (error != nullptr) ++progress.failed;
    progress.fraction = fractions.front();
    fractions.pop_front();
    if (options.progress) options.progress(progress);
  };
  run_in_order(run);
  output.finish();
  return progress;
}

}  // namespace lambert
