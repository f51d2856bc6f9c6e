//! A native question-answering server from existing parts, for `make bench-http`: axum, the
//! tokenizers crate and ONNX Runtime through the ort crate.
//!   axum-ort LIBONNXRUNTIME.so MODEL.onnx TOKENIZER.json PORT WORKERS THREADS BATCH
//! WORKERS sessions of THREADS threads each take requests from one queue; a worker takes up to BATCH
//! that wait and computes their windows together, those of like lengths padded to the longest.
mod spans;

use axum::{extract::State, http::StatusCode, routing::get, routing::post, Json, Router};
use ort::session::{builder::GraphOptimizationLevel, Session};
use ort::value::Tensor;
use serde::{Deserialize, Serialize};
use std::sync::{mpsc, Arc, Mutex};
use tokenizers::{Encoding, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};
use tokio::sync::oneshot;

const MAX_TOKENS: usize = 384;
const STRIDE: usize = 128;
/// Windows share a forward pass if the shortest has at least this share of the longest's tokens.
const LIKE_LENGTH: f32 = 0.75;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Deserialize)]
struct Request {
    question: String,
    context: String,
}

#[derive(Serialize)]
struct Reply {
    answer: String,
    score: f32,
    start: usize,
    end: usize,
}

struct Job {
    request: Request,
    reply: oneshot::Sender<Result<Reply, Failure>>,
}

struct Window {
    job: usize,
    encoding: Encoding,
    start: Vec<f32>,
    end: Vec<f32>,
}

struct Worker {
    session: Session,
    tokenizer: Arc<Tokenizer>,
    batch: usize,
}

impl Worker {
    fn windows(&self, requests: &[&Request]) -> Result<Vec<Window>, Failure> {
        let mut windows = Vec::new();
        for (job, request) in requests.iter().enumerate() {
            let texts = (request.question.as_str(), request.context.as_str());
            let mut first = self.tokenizer.encode_char_offsets(texts, true)?;
            let more = first.take_overflowing();
            for encoding in std::iter::once(first).chain(more) {
                windows.push(Window {
                    job,
                    encoding,
                    start: Vec::new(),
                    end: Vec::new(),
                });
            }
        }
        Ok(windows)
    }

    /// Fills in the logits of windows that are sorted by length.
    fn forward(&mut self, windows: &mut [Window]) -> Result<(), Failure> {
        let (rows, longest) = (windows.len(), windows[windows.len() - 1].encoding.len());
        let mut ids = vec![0i64; rows * longest];
        let mut mask = vec![0i64; rows * longest];
        for (row, window) in windows.iter().enumerate() {
            for (column, &id) in window.encoding.get_ids().iter().enumerate() {
                ids[row * longest + column] = i64::from(id);
                mask[row * longest + column] = 1;
            }
        }
        let outputs = self.session.run(ort::inputs![
            "input_ids" => Tensor::from_array(([rows, longest], ids))?,
            "attention_mask" => Tensor::from_array(([rows, longest], mask))?,
        ])?;
        let (_, start) = outputs["start"].try_extract_tensor::<f32>()?;
        let (_, end) = outputs["end"].try_extract_tensor::<f32>()?;
        for (row, window) in windows.iter_mut().enumerate() {
            let range = row * longest..row * longest + window.encoding.len();
            window.start = start[range.clone()].to_vec();
            window.end = end[range].to_vec();
        }
        Ok(())
    }

    fn answer(&mut self, requests: &[&Request]) -> Result<Vec<Reply>, Failure> {
        let mut windows = self.windows(requests)?;
        windows.sort_by_key(|window| window.encoding.len());
        let mut begin = 0;
        while begin < windows.len() {
            let like = |other: &Window| {
                windows[begin].encoding.len() as f32 >= LIKE_LENGTH * other.encoding.len() as f32
            };
            let most = windows.len().min(begin + self.batch);
            let end = begin
                + windows[begin..most]
                    .iter()
                    .take_while(|other| like(other))
                    .count();
            self.forward(&mut windows[begin..end])?;
            begin = end;
        }
        Ok(requests
            .iter()
            .enumerate()
            .map(|(job, request)| reply_of(job, request, &windows))
            .collect())
    }

    fn run(mut self, queue: Arc<Mutex<mpsc::Receiver<Job>>>) {
        loop {
            let mut jobs = Vec::new();
            {
                let queue = queue.lock().unwrap();
                match queue.recv() {
                    Ok(job) => jobs.push(job),
                    Err(_) => return,
                }
                while jobs.len() < self.batch {
                    match queue.try_recv() {
                        Ok(job) => jobs.push(job),
                        Err(_) => break,
                    }
                }
            }
            let result = self.answer(&jobs.iter().map(|job| &job.request).collect::<Vec<_>>());
            match result {
                Ok(replies) => jobs
                    .into_iter()
                    .zip(replies)
                    .for_each(|(job, reply)| drop(job.reply.send(Ok(reply)))),
                Err(error) => {
                    let text = error.to_string();
                    jobs.into_iter()
                        .for_each(|job| drop(job.reply.send(Err(text.clone().into()))));
                }
            }
        }
    }
}

fn reply_of(job: usize, request: &Request, windows: &[Window]) -> Reply {
    let context: Vec<char> = request.context.chars().collect();
    let mut answers = Vec::new();
    for window in windows.iter().filter(|window| window.job == job) {
        spans::collect(
            &mut answers,
            &window.encoding,
            &window.start,
            &window.end,
            &context,
        );
    }
    match answers.into_iter().max_by(|a, b| a.score.total_cmp(&b.score)) {
        Some(best) => Reply {
            answer: best.text,
            score: best.score,
            start: best.start,
            end: best.end,
        },
        None => Reply {
            answer: String::new(),
            score: 0.0,
            start: 0,
            end: 0,
        },
    }
}

async fn ask(
    State(queue): State<mpsc::Sender<Job>>,
    Json(request): Json<Request>,
) -> Result<Json<Reply>, (StatusCode, String)> {
    let (reply, answer) = oneshot::channel();
    let failed = |text: String| (StatusCode::INTERNAL_SERVER_ERROR, text);
    queue
        .send(Job { request, reply })
        .map_err(|error| failed(error.to_string()))?;
    match answer.await {
        Ok(Ok(reply)) => Ok(Json(reply)),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn tokenizer_of(path: &str) -> Result<Tokenizer, Failure> {
    let mut tokenizer = Tokenizer::from_file(path)?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(Some(TruncationParams {
        max_length: MAX_TOKENS,
        stride: STRIDE,
        strategy: TruncationStrategy::OnlySecond,
        direction: TruncationDirection::Right,
    }))?;
    Ok(tokenizer)
}

fn open_session(model: &str, threads: usize) -> Result<Session, Failure> {
    // The builder's own errors hold the builder, which is not Send.
    let session = Session::builder()?
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(|error| error.to_string())?
        .with_intra_threads(threads)
        .map_err(|error| error.to_string())?
        .commit_from_file(model)?;
    Ok(session)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, model, tokenizer, port, workers, threads, batch] = arguments.as_slice() else {
        return Err(
            "usage: axum-ort LIBONNXRUNTIME.so MODEL.onnx TOKENIZER.json PORT WORKERS THREADS BATCH".into(),
        );
    };
    ort::init_from(library)?.with_name("axum-ort").commit();
    let tokenizer = Arc::new(tokenizer_of(tokenizer)?);
    let (sender, receiver) = mpsc::channel();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..workers.parse::<usize>()? {
        let session = open_session(model, threads.parse()?)?;
        let worker = Worker {
            session,
            tokenizer: tokenizer.clone(),
            batch: batch.parse()?,
        };
        let queue = receiver.clone();
        std::thread::spawn(move || worker.run(queue));
    }
    let routes = Router::new()
        .route("/ask", post(ask))
        .route("/health", get(|| async { "ok" }))
        .with_state(sender);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
        axum::serve(listener, routes).await?;
        Ok(())
    })
}
