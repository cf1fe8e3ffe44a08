//! A service on this machine that keeps what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A request that came in: path, headers in lower case, body.
pub type Request = (String, String, Value);

/// A service on this machine.
pub struct Service {
    pub address: String,
    got: Arc<Mutex<Vec<Request>>>,
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Service {
    /// One that answers with a status; headers may stand behind it.
    pub fn answering(status: impl Into<String>) -> Self {
        Service::answering_after(Duration::ZERO, status)
    }

    /// One that takes its time.
    pub fn answering_after(pause: Duration, status: impl Into<String>) -> Self {
        let status = status.into();
        Service::start(move |stream, got| {
            if let Some(request) = read(&stream) {
                got.lock().unwrap().push(request);
                std::thread::sleep(pause);
                let mut stream = stream;
                let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        })
    }

    /// One that takes whatever comes and never says a word.
    pub fn silent() -> Self {
        let held = Mutex::new(Vec::new());
        Service::start(move |stream, _| held.lock().unwrap().push(stream))
    }

    fn start(serve: impl Fn(TcpStream, &Mutex<Vec<Request>>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (got, over): (Arc<Mutex<Vec<Request>>>, _) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (told, is_over) = (got.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                serve(stream.unwrap(), &told);
            }
        });
        Service { address, got, over, thread: Some(thread) }
    }

    pub fn got(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut headers, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let header = line.to_lowercase();
        length = header.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
        headers.push_str(&header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, headers, serde_json::from_slice(&body).ok()?))
}
