//! An HTTP client, by hyper on LoopBot: prints what is found at an address.
//!
//! `cargo run -p loopbot --features hyper --example hyper_get -- http://127.0.0.1:8008/`

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Uri};
use loopbot::hyper_rt::HyperStream;
use loopbot::net::TcpStream;

/// How long the other side may take, all in all.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hyper_get: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let uri = std::env::args().nth(1);
    let uri = uri.as_deref().unwrap_or("http://127.0.0.1:8008/");
    let uri: Uri = uri.parse().map_err(|error| {
        format!("{uri} is no address of the form http://host:port/path: {error}")
    })?;
    loopbot::run(async { loopbot::timeout(PATIENCE, get(uri)).await? })
}

async fn get(uri: Uri) -> Result<(), Box<dyn Error>> {
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(format!(
            "{uri} is not of the form http://host:port/path, and nothing else is fetched here"
        )
        .into());
    };
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await?;

    let (mut line, connection) = http1::handshake(HyperStream::new(stream)).await?;
    loopbot::spawn_named("the connection", connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(HOST, authority.as_str())
        .body(Empty::<Bytes>::new())?;
    let response = line.send_request(request).await?;
    eprintln!("{}", response.status());

    let mut body = response.into_body();
    let mut out = io::stdout().lock();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            out.write_all(&bytes)?;
        }
    }
    Ok(())
}
