//! A browser at the end of a wire: as much of the W3C WebDriver protocol as the tests need, over plain HTTP.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use process_wrap::std::{ChildWrapper, CommandWrap};
use serde_json::{Value, json};

/// No wait here is longer. It is an end, not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the two programs are: from `CHROMEDRIVER` and `CHROME`, or found on the PATH.
#[derive(Debug)]
pub struct Programs {
    chromedriver: PathBuf,
    /// `None`: chromedriver finds it.
    chrome: Option<PathBuf>,
}

/// Looks for a browser.
///
/// # Errors
///
/// One sentence that says what is missing and how to name it.
pub fn find() -> anyhow::Result<Programs> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let on_path = |names: &[&str]| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let files = names.iter().flat_map(|name| {
            let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
            folders.iter().map(move |folder| folder.join(&name))
        });
        files.into_iter().find(|file| file.is_file())
    };
    let chromedriver = named("CHROMEDRIVER").or_else(|| on_path(&["chromedriver"])).ok_or_else(|| {
        anyhow!("no chromedriver was found: install it, or name it in the environment variable CHROMEDRIVER")
    })?;
    let chrome = named("CHROME")
        .or_else(|| on_path(&["chromium", "chromium-browser", "google-chrome", "chrome"]));
    Ok(Programs {
        chromedriver,
        chrome,
    })
}

/// A running browser with one window. Dropping it closes both programs.
pub struct Browser {
    agent: ureq::Agent,
    session: String,
    driver: Box<dyn ChildWrapper>,
    _profile: tempfile::TempDir,
}

/// What a page said on its console.
#[derive(Debug)]
pub struct ConsoleError(String);

impl fmt::Display for ConsoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Browser {
    /// Starts a browser with a fresh profile and no window on the screen.
    ///
    /// # Errors
    ///
    /// When a program does not start; its own words are in the message.
    pub fn start(programs: &Programs) -> anyhow::Result<Browser> {
        let mut command = Command::new(&programs.chromedriver);
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut group = CommandWrap::from(command);
        #[cfg(unix)]
        group.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        group.wrap(process_wrap::std::JobObject);
        let mut driver = group
            .spawn()
            .with_context(|| format!("{} does not start", programs.chromedriver.display()))?;
        let profile = tempfile::tempdir()?;
        let port = match port(&mut *driver) {
            Ok(port) => port,
            Err(error) => {
                let _ = driver.start_kill();
                return Err(error);
            }
        };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build();
        let mut browser = Browser {
            agent: ureq::Agent::new_with_config(config),
            session: format!("http://127.0.0.1:{port}/session"),
            driver,
            _profile: profile,
        };
        let profile = format!("--user-data-dir={}", browser._profile.path().display());
        let mut options = json!({ "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1200,900", profile,
        ]});
        if let Some(chrome) = &programs.chrome {
            options["binary"] = json!(chrome.to_string_lossy());
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": options,
        }}});
        let made = browser
            .call("POST", "", &wanted)
            .context("the browser does not start")?;
        let id = made["sessionId"]
            .as_str()
            .context("the browser gave no session")?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(browser)
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn open(&mut self, url: &str) -> anyhow::Result<()> {
        self.call("POST", "/url", &json!({ "url": url })).map(drop)
    }

    /// The address of the page now.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn address(&mut self) -> anyhow::Result<String> {
        Ok(self
            .call("GET", "/url", &Value::Null)?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Runs the body of a function on the page, with `arguments`, and gives what it returns.
    ///
    /// # Errors
    ///
    /// When the script throws.
    pub fn run(&mut self, body: &str, arguments: Value) -> anyhow::Result<Value> {
        let arguments = if arguments.is_array() {
            arguments
        } else {
            json!([arguments])
        };
        self.call(
            "POST",
            "/execute/sync",
            &json!({ "script": body, "args": arguments }),
        )
    }

    /// Runs the body of a function on the page again and again until it returns something true, and gives that.
    ///
    /// # Errors
    ///
    /// When it never does; `what` says what was waited for.
    pub fn wait_for(&mut self, what: &str, body: &str) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.run(body, json!([]))?;
            if !matches!(&value, Value::Null | Value::Bool(false)) && value != json!("") {
                return Ok(value);
            }
            if Instant::now() > deadline {
                bail!("waited {} seconds for {what} in vain", PATIENCE.as_secs());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks the first element that a CSS selector finds, as a reader would: it must be visible and not covered.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be clicked.
    pub fn click(&mut self, selector: &str) -> anyhow::Result<()> {
        // Into the middle: the browser itself scrolls only as far as the edge, where the book's menu bar covers it.
        self.run(
            "document.querySelector(arguments[0])?.scrollIntoView({ block: 'center' })",
            json!([selector]),
        )?;
        let element = self.element(selector)?;
        self.call("POST", &format!("/element/{element}/click"), &json!({}))
            .map(drop)
            .with_context(|| selector.to_owned())
    }

    /// Presses keys while the element has the focus.
    ///
    /// # Errors
    ///
    /// When the element is not there or takes no focus.
    pub fn press(&mut self, selector: &str, keys: &str) -> anyhow::Result<()> {
        let element = self.element(selector)?;
        self.call(
            "POST",
            &format!("/element/{element}/value"),
            &json!({ "text": keys }),
        )
        .map(drop)
        .with_context(|| selector.to_owned())
    }

    /// Presses keys, one after the other, wherever the focus is: as a keyboard does, or a clicker.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn keys(&mut self, keys: &str) -> anyhow::Result<()> {
        let presses: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key.to_string() }))
            })
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": presses });
        self.call("POST", "/actions", &json!({ "actions": [keyboard] }))
            .map(drop)
    }

    /// The open windows, by name.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn windows(&mut self) -> anyhow::Result<Vec<String>> {
        let windows = self.call("GET", "/window/handles", &Value::Null)?;
        let names = windows.as_array().into_iter().flatten();
        Ok(names.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The window that everything here speaks to.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn window(&mut self) -> anyhow::Result<String> {
        let window = self.call("GET", "/window", &Value::Null)?;
        Ok(window.as_str().unwrap_or_default().to_owned())
    }

    /// Speaks to another window from now on.
    ///
    /// # Errors
    ///
    /// When there is no window of that name.
    pub fn look_at(&mut self, window: &str) -> anyhow::Result<()> {
        self.call("POST", "/window", &json!({ "handle": window }))
            .map(drop)
    }

    /// Closes the window that everything here speaks to. Another must be looked at next.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn close_window(&mut self) -> anyhow::Result<()> {
        self.call("DELETE", "/window", &Value::Null).map(drop)
    }

    /// Shows the page as it would be printed, or on the screen again.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn on_paper(&mut self, paper: bool) -> anyhow::Result<()> {
        let media = if paper { "print" } else { "" };
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "media": media } });
        self.call("POST", "/goog/cdp/execute", &command).map(drop)
    }

    /// Makes the page think that it has a screen of this size. A width of 0 ends that.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn screen(&mut self, width: u32, height: u32) -> anyhow::Result<()> {
        let (command, parameters) = match width {
            0 => ("Emulation.clearDeviceMetricsOverride", json!({})),
            _ => (
                "Emulation.setDeviceMetricsOverride",
                json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 }),
            ),
        };
        self.call(
            "POST",
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
        .map(drop)
    }

    /// What went wrong on the console since the last call.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn console_errors(&mut self) -> anyhow::Result<Vec<ConsoleError>> {
        let log = self.call("POST", "/se/log", &json!({ "type": "browser" }))?;
        let severe = log
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE");
        Ok(severe
            .map(|entry| ConsoleError(entry["message"].as_str().unwrap_or_default().to_owned()))
            .collect())
    }

    /// The addresses that were asked for over the network since the last call.
    ///
    /// # Errors
    ///
    /// When the browser refuses.
    pub fn requests(&mut self) -> anyhow::Result<Vec<String>> {
        let log = self.call("POST", "/se/log", &json!({ "type": "performance" }))?;
        let mut addresses = Vec::new();
        for entry in log.as_array().into_iter().flatten() {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap_or("null"))?;
            let event = &event["message"];
            if event["method"] == "Network.requestWillBeSent"
                || event["method"] == "Network.webSocketCreated"
            {
                let url = event["params"]["request"]["url"]
                    .as_str()
                    .or(event["params"]["url"].as_str());
                addresses.extend(url.map(str::to_owned));
            }
        }
        Ok(addresses)
    }

    fn element(&mut self, selector: &str) -> anyhow::Result<String> {
        let query = json!({ "using": "css selector", "value": selector });
        let found = self
            .call("POST", "/element", &query)
            .with_context(|| format!("no element {selector}"))?;
        let id = found
            .as_object()
            .and_then(|found| found.values().next())
            .and_then(Value::as_str);
        Ok(id.context("an element without an id")?.to_owned())
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.session);
        let mut response = match method {
            "GET" => self.agent.get(&url).call()?,
            "DELETE" => self.agent.delete(&url).call()?,
            _ => self.agent.post(&url).send_json(body)?,
        };
        let mut answer: Value = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_json()?;
        let value = answer["value"].take();
        if let (Some(error), Some(message)) = (value["error"].as_str(), value["message"].as_str()) {
            let first = message.lines().next().unwrap_or_default();
            bail!("{error}: {first}");
        }
        Ok(value)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.call("DELETE", "", &Value::Null);
        let _ = self.driver.start_kill();
        let _ = self.driver.wait();
    }
}

/// The port that chromedriver says it listens on.
fn port(driver: &mut dyn ChildWrapper) -> anyhow::Result<u16> {
    let out = driver
        .stdout()
        .take()
        .context("chromedriver has no output")?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Reads on after the port has been told, so that chromedriver never writes into a closed pipe.
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                let _ = tell.send(port.trim_end_matches('.').parse::<u16>());
            }
        }
    });
    let port = told
        .recv_timeout(PATIENCE)
        .map_err(|_| anyhow!("chromedriver did not say which port it listens on"))?;
    Ok(port?)
}
