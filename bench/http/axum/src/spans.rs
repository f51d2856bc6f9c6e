//! Start and end logits to an answer, as transformers' question-answering pipeline decodes them
//! (top_k 1, max_answer_len 15, aligned to words).
use tokenizers::Encoding;

const MAX_ANSWER_TOKENS: usize = 15;
/// Spans of a window that compete: top_k * 2 + 10 of the pipeline.
const CANDIDATES: usize = 12;

pub struct Answer {
    pub text: String,
    pub score: f32,
    pub start: usize,
    pub end: usize,
}

/// Probabilities over the context and the first token, [CLS], whose own is then set to 0.
fn probabilities(logits: &[f32], allowed: &[bool]) -> Vec<f32> {
    let most = logits
        .iter()
        .zip(allowed)
        .filter(|(_, &a)| a)
        .map(|(&x, _)| x)
        .fold(f32::MIN, f32::max);
    let mut values: Vec<f32> = logits
        .iter()
        .zip(allowed)
        .map(|(&x, &a)| if a { (x - most).exp() } else { 0.0 })
        .collect();
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
    values[0] = 0.0;
    values
}

/// The best spans (first token, last token, score), best first.
fn best_spans(start: &[f32], end: &[f32]) -> Vec<(usize, usize, f32)> {
    let mut best: Vec<(usize, usize, f32)> = Vec::with_capacity(CANDIDATES + 1);
    for first in 0..start.len() {
        if start[first] == 0.0 {
            continue;
        }
        for last in first..end.len().min(first + MAX_ANSWER_TOKENS) {
            let score = start[first] * end[last];
            if score == 0.0 || (best.len() == CANDIDATES && score <= best[CANDIDATES - 1].2) {
                continue;
            }
            let place = best.partition_point(|other| other.2 >= score);
            best.insert(place, (first, last, score));
            best.truncate(CANDIDATES);
        }
    }
    best
}

/// Code points of the words that a span begins and ends in.
fn characters(window: &Encoding, first: usize, last: usize) -> (usize, usize) {
    let word = |token: usize| window.get_word_ids()[token].and_then(|word| window.word_to_chars(word, 1));
    match (word(first), word(last)) {
        (Some(begin), Some(end)) => (begin.0, end.1),
        _ => (window.get_offsets()[first].0, window.get_offsets()[last].1),
    }
}

/// Adds a window's candidates; equal texts are one answer, whose scores add up.
pub fn collect(answers: &mut Vec<Answer>, window: &Encoding, start: &[f32], end: &[f32], context: &[char]) {
    let allowed: Vec<bool> = window
        .get_sequence_ids()
        .iter()
        .enumerate()
        .map(|(token, sequence)| token == 0 || *sequence == Some(1))
        .collect();
    let (start, end) = (probabilities(start, &allowed), probabilities(end, &allowed));
    for (first, last, score) in best_spans(&start, &end) {
        let (begin, stop) = characters(window, first, last);
        let text: String = context[begin..stop].iter().collect();
        match answers
            .iter_mut()
            .find(|answer| answer.text.to_lowercase() == text.to_lowercase())
        {
            Some(answer) => answer.score += score,
            None => answers.push(Answer {
                text,
                score,
                start: begin,
                end: stop,
            }),
        }
    }
}
