//! A NATS server of our own: from PATH, on a free port of the loopback address, with its files in a folder that goes away.
#![allow(dead_code)] // the example and the tests use different halves of it

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. It ends when this is dropped.
pub struct Server {
    process: Child,
    folder: TempDir,
    /// `nats://127.0.0.1:PORT`
    pub url: String,
    monitor: String,
}

impl Server {
    /// Starts one; `None` if none is installed.
    pub fn start() -> io::Result<Option<Server>> {
        let folder = tempfile::tempdir()?;
        // Debian puts it where only root looks.
        for program in ["nats-server", "/usr/sbin/nats-server"] {
            match run(program, &folder, "-1") {
                Ok(process) => {
                    let mut server = Server {
                        process,
                        folder,
                        url: String::new(),
                        monitor: String::new(),
                    };
                    server.find_ports()?;
                    return Ok(Some(server));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// It chooses free ports, and writes down which.
    fn find_ports(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let path = self
                .folder
                .path()
                .join(format!("nats-server_{}.ports", self.process.id()));
            let text = std::fs::read_to_string(path).unwrap_or_default();
            if let Ok(ports) = serde_json::from_str::<Value>(&text)
                && let (Some(url), Some(monitor)) =
                    (ports["nats"][0].as_str(), ports["monitoring"][0].as_str())
            {
                (self.url, self.monitor) = (url.to_owned(), monitor.replace("http://", ""));
                if self.ask("/healthz")?["status"] == "ok" {
                    return Ok(());
                }
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(io::Error::other(format!("nats-server has ended: {status}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(io::Error::other(
            "nats-server does not say which port it has",
        ))
    }

    /// What the server's monitor says: `/connz` of connections, `/jsz?streams=true` of streams.
    pub fn ask(&self, what: &str) -> io::Result<Value> {
        let mut stream = TcpStream::connect(&self.monitor)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {what} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok(serde_json::from_str(body)?)
    }

    /// Asks the server as its clients do, and fails if it refuses.
    pub fn request(&self, subject: &str, body: &str) -> io::Result<Value> {
        let stream = TcpStream::connect(self.url.trim_start_matches("nats://"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let size = body.len();
        write!(
            &stream,
            "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB {subject} answer {size}\r\n{body}\r\n"
        )?;
        let mut lines = BufReader::new(stream).lines();
        while let Some(line) = lines.next().transpose()? {
            if line.starts_with("MSG ") {
                let answer: Value =
                    serde_json::from_str(&lines.next().transpose()?.unwrap_or_default())?;
                return match &answer["error"] {
                    Value::Null => Ok(answer),
                    error => Err(io::Error::other(error.to_string())),
                };
            }
        }
        Err(io::Error::other("the server has hung up"))
    }

    /// Name and address of every connected client that has a name.
    pub fn clients(&self) -> io::Result<Vec<(String, String)>> {
        let answer = self.ask("/connz")?;
        let connections = answer["connections"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut clients: Vec<_> = connections
            .iter()
            .map(|one| (text(&one["name"]), text(&one["ip"])))
            .collect();
        clients.retain(|(name, _)| !name.is_empty());
        clients.sort();
        Ok(clients)
    }

    /// How many messages are in a stream.
    pub fn messages(&self, stream: &str) -> io::Result<u64> {
        let answer = self.ask("/jsz?streams=true")?;
        let accounts = answer["account_details"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let mut streams = accounts
            .iter()
            .filter_map(|account| account["stream_detail"].as_array())
            .flatten();
        let found = streams.find(|one| one["name"] == stream);
        let messages = found.and_then(|one| one["state"]["messages"].as_u64());
        messages.ok_or_else(|| io::Error::other(format!("the server has no stream {stream}")))
    }

    /// How many messages of a stream are with consumers, and not acknowledged.
    pub fn in_hand(&self, stream: &str) -> io::Result<u64> {
        let answer = self.ask("/jsz?consumers=true")?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut streams = list(&answer["account_details"])
            .into_iter()
            .flat_map(|one| list(&one["stream_detail"]));
        let consumers = streams
            .find(|one| one["name"] == stream)
            .map(|one| list(&one["consumer_detail"]));
        let counts = consumers.unwrap_or_default();
        Ok(counts
            .iter()
            .filter_map(|one| one["num_ack_pending"].as_u64())
            .sum())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills it. Its files stay.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }

    /// Starts it again, on the same port and with the same files.
    pub fn start_again(&mut self) -> io::Result<()> {
        let port = self.url.rsplit(':').next().unwrap_or_default().to_owned();
        for program in ["nats-server", "/usr/sbin/nats-server"] {
            match run(program, &self.folder, &port) {
                Ok(process) => {
                    self.process = process;
                    return self.find_ports();
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("nats-server is gone"))
    }
}

fn run(program: &str, folder: &TempDir, port: &str) -> io::Result<Child> {
    let path = folder.path();
    let mut command = Command::new(program);
    command.args(["-a", "127.0.0.1", "-p", port, "-m", "-1", "-js"]);
    command.arg("-sd").arg(path.join("files"));
    command.arg("-l").arg(path.join("log"));
    command.arg("--ports_file_dir").arg(path);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
