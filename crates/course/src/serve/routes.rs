//! Which request gets which answer.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use futures_channel::oneshot;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::gate::Gate;
use super::learner;
use super::live::Live;
use super::pages::Shelf;
use super::reload::Reloads;

/// No request here needs a body; a small one is read and ignored.
const BODY_LIMIT: usize = 16 * 1024;

/// All that answers are made of.
pub struct Site {
    pub gate: Gate,
    pub shelf: Arc<Shelf>,
    pub reloads: Arc<Reloads>,
    pub live: Arc<Live>,
    pub root: PathBuf,
}

/// A request that is turned down, with the reason in one sentence.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    sentence: String,
}

impl Refusal {
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Refusal {
        Refusal {
            status,
            sentence: sentence.into(),
        }
    }
}

/// The body of an answer: whole or streamed.
pub type Answer = UnsyncBoxBody<Bytes, Infallible>;

impl Site {
    /// Answers one request.
    pub async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Answer> {
        let mut response = match self.route(request).await {
            Ok(response) => response,
            Err(refusal) => {
                let mut response = whole(refusal.sentence + "\n", "text/plain; charset=utf-8");
                *response.status_mut() = refusal.status;
                response
            }
        };
        let headers = response.headers_mut();
        for (name, value) in [
            (CACHE_CONTROL.as_str(), "no-cache"),
            ("x-content-type-options", "nosniff"),
            // No other site may embed these pages or read these files.
            ("cross-origin-resource-policy", "same-origin"),
            ("content-security-policy", "frame-ancestors 'self'"),
            ("referrer-policy", "no-referrer"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    async fn route(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, Refusal> {
        let (head, body) = request.into_parts();
        self.gate.admit(&head)?;
        let path = percent_decode_str(head.uri.path())
            .decode_utf8()
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The path is not UTF-8."))?
            .into_owned();

        let (reads, starts) = (
            matches!(head.method, Method::GET | Method::HEAD),
            head.method == Method::POST,
        );
        let control: Vec<&str> = path
            .strip_prefix("/__loopbot/")
            .map_or(vec![], |rest| rest.split('/').collect());
        match control.as_slice() {
            ["reload"] if reads => {
                let seen = head
                    .headers
                    .get("last-event-id")
                    .and_then(|id| id.to_str().ok());
                Ok(streamed(self.reloads.events(seen), "text/event-stream"))
            }
            ["progress"] if reads => {
                self.gate.trust(&head)?;
                self.told(learner::standings).await
            }
            ["solution", number] if reads => {
                self.gate.trust(&head)?;
                let number = (*number).to_owned();
                self.told(move |root| learner::solution(root, &number))
                    .await
            }
            ["hints", number, level] if starts => {
                discard(body).await?;
                let (number, level) = ((*number).to_owned(), (*level).to_owned());
                let told = self
                    .told(move |root| learner::hint(root, &number, &level))
                    .await?;
                self.reloads.announce_progress();
                Ok(told)
            }
            ["run", name] if starts => {
                discard(body).await?;
                Ok(streamed(self.live.run(name)?, "application/x-ndjson"))
            }
            ["check", number] if starts => {
                discard(body).await?;
                Ok(streamed(self.live.check(number)?, "application/x-ndjson"))
            }
            ["reload"] | ["progress"] | ["solution", _] => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "This is read with GET.",
            )),
            ["run" | "check", _] | ["hints", _, _] => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "This is started with POST.",
            )),
            _ if !reads => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "Pages of the book are read with GET.",
            )),
            // In the book's folder this file says "recorded"; served from here, pages may run things.
            [] if path == "/loopbot-env.json" => {
                let env = json!({ "mode": "live", "token": self.gate.token() });
                Ok(whole(env.to_string(), "application/json"))
            }
            [] => Ok(self.page(&path)),
            _ => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "There is nothing of that name here.",
            )),
        }
    }

    fn page(&self, path: &str) -> Response<Answer> {
        if let Some(page) = self.shelf.get(path) {
            return whole(page.bytes, page.mime);
        }
        let mut response = match self.shelf.get("/404.html") {
            Some(page) => whole(page.bytes, page.mime),
            None => whole(
                "There is no such page in the book.\n",
                "text/plain; charset=utf-8",
            ),
        };
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    }

    /// What is read from the learner's files: on a thread of its own, for a slow disk must not stop the one that serves
    /// everybody.
    async fn told(
        &self,
        read: impl FnOnce(&Path) -> Result<Value, Refusal> + Send + 'static,
    ) -> Result<Response<Answer>, Refusal> {
        let root = self.root.clone();
        let (done, result) = oneshot::channel();
        thread::spawn(move || {
            let _ = done.send(read(&root));
        });
        let told = result.await.map_err(|_| {
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The learner's files could not be read; the terminal says why.",
            )
        })?;
        Ok(whole(told?.to_string(), "application/json"))
    }
}

async fn discard(body: Incoming) -> Result<(), Refusal> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "This request needs no body, and that one is too long.",
        )),
    }
}

fn whole(body: impl Into<Bytes>, mime: &'static str) -> Response<Answer> {
    with_type(Full::new(body.into()).boxed_unsync(), mime)
}

fn streamed<B>(body: B, mime: &'static str) -> Response<Answer>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    with_type(body.boxed_unsync(), mime)
}

fn with_type(body: Answer, mime: &'static str) -> Response<Answer> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    response
}
