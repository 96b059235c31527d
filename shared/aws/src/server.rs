//! A server of the tests' own, which says what they want to be told.

use photovault_vault::seams::ObjectAt;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::Endpoint;

/// Answers requests, one after the other; gives all that was asked.
pub(crate) async fn answering(answers: &[(u16, &str)]) -> (Endpoint, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let kind = "content-type: application/x-amz-json-1.1\r\nconnection: close";
    let answer =
        |(status, body): &(u16, &str)| format!("HTTP/1.1 {status} X\r\n{kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let answers: Vec<String> = answers.iter().map(answer).collect();
    let asked = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut request, mut part) = (Vec::new(), vec![0; 16_384]);
            while !is_whole(&request) {
                let read = stream.read(&mut part).await.unwrap();
                assert!(read > 0, "the request broke off");
                request.extend_from_slice(&part[..read]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            requests.extend(request);
        }
        String::from_utf8(requests).unwrap()
    });
    let text = |text: &str| text.to_owned();
    (Endpoint { url, access_key: text("a"), secret_key: text("s"), region: text("us-east-1") }, asked)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

pub(crate) fn at() -> ObjectAt {
    ObjectAt { bucket: "vault".into(), key: "derivatives/ann/1/large.jpg".into(), version: None }
}
