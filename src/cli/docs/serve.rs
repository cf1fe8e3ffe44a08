//! The page for browsers of this machine, made anew each time that it is asked for.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::html;
use crate::cli::args::Global;
use crate::cli::failure::{Complaint, Failure, Outcome};
use crate::cli::interrupt;
use crate::cli::{project, ui};
use crate::run::project_docs;
use crate::secrets;

const HOST: &str = "127.0.0.1";
const PORT: u16 = 4747;
/// No request that we answer is longer.
const REQUEST_BYTES: usize = 16 << 10;
const HEADERS: usize = 64;
/// Whoever says nothing is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 64;

/// Shows the page at `address` (empty: the usual one) until the user ends it.
pub async fn until_interrupted(global: &Global, address: &str) -> Outcome {
    project(global)?;
    let listener = listen(address).await.map_err(|error| {
        let message = format!("`--serve {address}` cannot be had: {error}");
        Failure::wrong(Complaint::from(message).with_hint("an address of this machine and a port, e.g. 127.0.0.1:4747"))
    })?;
    let url = format!("http://{}/", listener.local_addr()?);
    if global.json {
        ui::answer_json(&serde_json::json!({ "url": url }));
    } else {
        ui::answer(&url);
    }
    if !global.quiet {
        ui::tell("the page is made anew at each reload; Ctrl-C ends it");
    }
    let site = Arc::new(Site { global: global.clone(), name: name(address), work: Mutex::default() });
    match interrupt::or(accept(listener, site), "").await {
        Ok(error) => Err(error.into()),
        Err(stopped) => Ok(stopped.code),
    }
}

/// `8080`, `localhost` and `0.0.0.0:8080` are addresses; the usual port may be taken by another.
async fn listen(address: &str) -> io::Result<TcpListener> {
    let (host, port) = match (address.rsplit_once(':'), address.parse::<u16>()) {
        _ if address.is_empty() => (HOST, None),
        (_, Ok(port)) => (HOST, Some(port)),
        (Some((host, port)), _) if !host.ends_with(':') => {
            let port = port.parse().map_err(|_| io::Error::new(ErrorKind::InvalidInput, "this is no port"))?;
            (host.trim_matches(['[', ']']), Some(port))
        }
        _ => (address.trim_matches(['[', ']']), None),
    };
    match TcpListener::bind((host, port.unwrap_or(PORT))).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse && port.is_none() => TcpListener::bind((host, 0)).await,
        bound => bound,
    }
}

/// The name in an address.
fn name(address: &str) -> String {
    address.rsplit_once(':').map_or(address, |(host, _)| host).to_ascii_lowercase()
}

/// What connections have in common.
struct Site {
    global: Global,
    /// as the user calls this machine
    name: String,
    /// one page is made at a time
    work: Mutex<()>,
}

/// Takes in connections; gives why it could not go on.
async fn accept(listener: TcpListener, site: Arc<Site>) -> io::Error {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, _)) => {
                let site = Arc::clone(&site);
                tokio::spawn(async move {
                    if let Err(error) = site.answer(stream).await {
                        tracing::debug!(%error, "a browser went away");
                    }
                    drop(permit);
                });
            }
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => return error,
        }
    }
}

impl Site {
    async fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let Ok(request) = timeout(PATIENCE, request(&mut stream)).await else { return Ok(()) };
        let (answer, with_body) = match request? {
            None => return Ok(()),
            Some(head) => match asked(&head, &self.name) {
                Asked::Page { with_body } => (self.page().await, with_body),
                Asked::Refused(answer) => (answer, true),
            },
        };
        stream.write_all(answer.head().as_bytes()).await?;
        if with_body {
            stream.write_all(answer.body.as_bytes()).await?;
        }
        stream.shutdown().await
    }

    async fn page(&self) -> Answer {
        let _one_at_a_time = self.work.lock().await;
        match self.made().await {
            Ok(body) => Answer { status: "200 OK", kind: "text/html", body },
            Err(failure) => Answer::failed(&failure),
        }
    }

    async fn made(&self) -> Result<String, Failure> {
        let project = project(&self.global)?;
        Ok(html::page(&project_docs(&project).await?.to_json()))
    }
}

/// The bytes of a request up to its body; `None` if the other side has nothing to say.
async fn request(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 2048];
    while bytes.len() < REQUEST_BYTES {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&buffer[..n]);
        if bytes.windows(4).any(|end| end == b"\r\n\r\n") {
            break;
        }
    }
    Ok(Some(bytes))
}

/// What a request wants.
#[derive(Debug, PartialEq)]
enum Asked {
    Page { with_body: bool },
    Refused(Answer),
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: &'static str,
    kind: &'static str,
    body: String,
}

impl Answer {
    fn text(status: &'static str, body: &str) -> Self {
        Answer { status, kind: "text/plain", body: body.to_owned() }
    }

    /// Without secrets: whoever reads it may know less than whoever started the command.
    fn failed(failure: &Failure) -> Self {
        let errors: Vec<String> = failure.errors.iter().map(|error| format!("error: {error}\n")).collect();
        Answer::text("500 Internal Server Error", &secrets::masked(&errors.concat()))
    }

    fn head(&self) -> String {
        format!(
            "HTTP/1.1 {}\r\nContent-Type: {}; charset=utf-8\r\nContent-Length: {}\r\nContent-Security-Policy: {}; \
             frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cache-Control: no-store\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n",
            self.status,
            self.kind,
            self.body.len(),
            html::policy()
        )
    }
}

fn asked(head: &[u8], name: &str) -> Asked {
    let refused = |status, why: &str| Asked::Refused(Answer::text(status, why));
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if !request.parse(head).is_ok_and(|parsed| parsed.is_complete()) {
        return refused("400 Bad Request", "this is no request of HTTP/1.1\n");
    }
    let hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
    let hosts: Vec<_> = hosts.map(|header| std::str::from_utf8(header.value).unwrap_or_default()).collect();
    let with_body = match (request.method, hosts.as_slice()) {
        (_, [host]) if !is_ours(host, name) => {
            return refused("403 Forbidden", "this page is for browsers of this machine\n");
        }
        (Some("GET"), [_]) => true,
        (Some("HEAD"), [_]) => false,
        (_, [_]) => return refused("405 Method Not Allowed", "there is a page to GET, and nothing else\n"),
        _ => return refused("400 Bad Request", "one Host header is needed\n"),
    };
    match request.path.map(|path| path.split(['?', '#']).next().unwrap_or_default()) {
        Some("/" | "/index.html") => Asked::Page { with_body },
        _ => refused("404 Not Found", "there is one page: /\n"),
    }
}

/// A page of the web may call this machine by a name of its own (DNS rebinding); it cannot do so by an address.
fn is_ours(host: &str, name: &str) -> bool {
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    let host = host.to_ascii_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    address.parse::<IpAddr>().is_ok() || host == "localhost" || (!name.is_empty() && host == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: &str) -> &'static str {
        match asked(request.replace('\n', "\r\n").as_bytes(), "box.lan") {
            Asked::Page { with_body: true } => "page",
            Asked::Page { with_body: false } => "head of the page",
            Asked::Refused(answer) => &answer.status[..3],
        }
    }

    #[test]
    fn only_the_page_can_be_asked_for_and_only_on_this_machine() {
        assert_eq!(status("GET / HTTP/1.1\nHost: 127.0.0.1:4747\n\n"), "page");
        assert_eq!(status("GET /index.html?x#silver.orders HTTP/1.1\nhost: LOCALHOST\n\n"), "page");
        assert_eq!(status("HEAD / HTTP/1.1\nHost: [::1]:80\n\n"), "head of the page");
        assert_eq!(status("GET / HTTP/1.1\nHost: box.lan:4747\n\n"), "page");
        assert_eq!(status("GET / HTTP/1.1\nHost: evil.example:4747\n\n"), "403");
        assert_eq!(status("GET / HTTP/1.1\nHost: 127.0.0.1.evil.example\n\n"), "403");
        assert_eq!(status("GET / HTTP/1.1\nHost: localhost\nHost: evil.example\n\n"), "400");
        assert_eq!(status("GET / HTTP/1.1\n\n"), "400");
        assert_eq!(status("POST / HTTP/1.1\nHost: localhost\n\n"), "405");
        assert_eq!(status("GET /../etc/passwd HTTP/1.1\nHost: localhost\n\n"), "404");
        assert_eq!(status("hello\n\n"), "400");
    }

    #[test]
    fn a_failure_is_told_without_secrets() {
        secrets::keep("served-with-care");
        let answer = Answer::failed(&Failure::failed("no access with served-with-care".to_owned()));
        assert_eq!(answer.body, "error: no access with ***\n");
    }
}
