//! Channels: a mail server, a webhook's receiver and an ntfy server on this machine get what `notify` sends, through real sockets.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use photovault_aws::{Endpoint, Reach, connect};
use photovault_domain::{Channel, MediaId, Medium, Preferences, Sha256, Status, UserId, UtcMs};
use photovault_lambda::Message;
use photovault_sim::Fabric;
use photovault_vault::{Mailing, MailingEnd, Names, Post, Seams, Secret, Vault};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

const KEY: &[u8] = b"a secret of 24 bytes....";
const TEXT: &str = "2 of your uploads ended: 1 ready, 1 failed.";

/// A request as it came.
#[derive(Clone, Debug)]
struct Request {
    headers: BTreeMap<String, String>,
    body: String,
}

/// What came to a server.
type Came<T> = Arc<Mutex<Vec<T>>>;

/// An HTTP server that gives these answers in turn, then 200; 0 is none: it reads the request and hangs up.
async fn http(answers: &[u16]) -> (String, Came<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let came = Came::default();
    let (noted, mut answers): (Came<Request>, VecDeque<u16>) = (Arc::clone(&came), answers.iter().copied().collect());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let (mut headers, mut line) = (BTreeMap::new(), String::new());
            while stream.read_line(&mut line).await.unwrap() > 2 {
                if let Some((name, value)) = line.split_once(": ") {
                    headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                }
                line.clear();
            }
            let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).await.unwrap();
            noted.lock().unwrap().push(Request { headers, body: String::from_utf8(body).unwrap() });
            let answer = answers.pop_front().unwrap_or(200);
            if answer > 0 {
                let location = if answer == 302 { "location: http://127.0.0.1:1/\r\n" } else { "" };
                let answer = format!("HTTP/1.1 {answer} As told\r\n{location}content-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (url, came)
}

/// A mail server that says this to the recipient, and takes what comes.
async fn smtp(to_recipient: &'static str) -> (String, Came<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://ann:pass%3Aword@{}", listener.local_addr().unwrap());
    let came = Came::default();
    let noted = Arc::clone(&came);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 sink\r\n").await.unwrap();
            let (mut line, mut said) = (String::new(), String::new());
            while stream.read_line(&mut line).await.unwrap() > 0 {
                said += &line;
                let answer = match line.split([' ', '\r']).next().unwrap() {
                    "EHLO" => "250-sink\r\n250 AUTH PLAIN\r\n",
                    "RCPT" => to_recipient,
                    "DATA" => "354 go on\r\n",
                    "QUIT" => break,
                    "AUTH" | "MAIL" | "." => "250 well\r\n",
                    _ => "",
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
                line.clear();
            }
            noted.lock().unwrap().push(said);
        }
    });
    (url, came)
}

/// A vault over the fabric that speaks to people through real sockets, and what a user told it.
async fn vault(smtp: &str, channels: Vec<Channel>) -> (Fabric, Vault) {
    let fabric = Fabric::default();
    fabric.world().now = UtcMs(1_800_000_000_000);
    let word = String::new;
    let nowhere =
        Endpoint { url: "http://127.0.0.1:9".into(), access_key: word(), secret_key: word(), region: "us-east-1".into() };
    let notifier = connect(Reach::Endpoint(&nowhere), "").await.seams.notifier;
    let post = Post { mail_from: "Photos <photos@example.org>".into(), smtp: Secret(smtp.into()), private: true };
    let names = Names { topic: None, post, ..(*fabric.vault().names).clone() };
    let vault = Vault::new(Seams { notifier, ..fabric.seams() }, names);
    vault.mailings.prefer(&ann(), &Preferences { channels, ..Preferences::default() }).await.unwrap();
    let item = |number, status| (MediaId::of_bytes(&ann(), &Sha256::from_digest([number; 32])), status, 1);
    vault.digests.tell(&ann(), UtcMs(0), &[item(1, Status::Ready), item(2, Status::Failed)], &[]).await.unwrap();
    (fabric, vault)
}

/// Lets the messages of mailings come when they are due, and again where they failed; gives the mailings.
async fn run(fabric: &Fabric, vault: &Vault) -> BTreeMap<Medium, Mailing> {
    fabric.world().now.0 += 3_600_000;
    let mut waiting: Vec<Message> = std::mem::take(&mut fabric.world().sent)
        .into_iter()
        .enumerate()
        .map(|(number, sent)| Message {
            id: format!("m{number}"),
            receipt: format!("r{number}"),
            body: sent.message.body,
            received: 1,
            sent: UtcMs(0),
            queue_arn: String::new(),
        })
        .collect();
    while !waiting.is_empty() {
        let failed = photovault_notify::on_batch(vault.clone(), waiting.clone()).await;
        waiting.retain(|message| failed.contains(&message.id));
        for message in &mut waiting {
            message.received += 1;
        }
        assert!(waiting.iter().all(|message| message.received <= 5), "none is a dead letter");
    }
    let latest = vault.mailings.latest(&ann(), 10).await.unwrap();
    latest.into_iter().map(|mailing| (mailing.delivery.medium, mailing)).collect()
}

fn ann() -> UserId {
    "ann".parse().unwrap()
}

fn webhook(url: &str) -> Channel {
    Channel::Webhook { url: format!("{url}/hook"), secret: format!("whsec_{}", BASE64_STANDARD.encode(KEY)) }
}

fn ntfy(url: &str) -> Channel {
    Channel::Ntfy { url: format!("{url}/photos"), token: Some("tk_1".into()) }
}

fn end(mailings: &BTreeMap<Medium, Mailing>, medium: Medium) -> MailingEnd {
    mailings[&medium].ended.clone().expect("it has ended").0
}

#[tokio::test]
async fn every_channel_gets_the_digest_and_a_webhook_that_fails_twice_gets_it_the_third_time() {
    let (hook, hooked) = http(&[500, 503]).await;
    let (push, pushed) = http(&[]).await;
    let (mail, mailed) = smtp("250 well\r\n").await;
    let to = "ann@example.org".to_owned();
    let (fabric, vault) = vault(&mail, vec![Channel::Email { to }, webhook(&hook), ntfy(&push)]).await;
    assert_eq!(fabric.world().sent.len(), 3, "a message for each channel");
    let mailings = run(&fabric, &vault).await;
    for medium in [Medium::Email, Medium::Webhook, Medium::Ntfy] {
        assert_eq!(end(&mailings, medium), MailingEnd::Sent, "{medium}");
    }

    let hooked = hooked.lock().unwrap().clone();
    assert_eq!(hooked.len(), 3);
    let returned: Vec<u32> = fabric.world().returned.iter().map(|(_, _, seconds)| *seconds).collect();
    assert_eq!(returned, [15, 60], "each wait is longer");
    for Request { headers, body } in &hooked {
        assert_eq!(headers["webhook-id"], mailings[&Medium::Webhook].id(), "the same each time");
        let signed = format!("{}.{}.{body}", headers["webhook-id"], headers["webhook-timestamp"]);
        let mac = Hmac::<sha2::Sha256>::new_from_slice(KEY).unwrap().chain_update(signed).finalize();
        assert_eq!(headers["webhook-signature"], format!("v1,{}", BASE64_STANDARD.encode(mac.into_bytes())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((body["type"].as_str(), body["data"]["text"].as_str()), (Some("vault.digest"), Some(TEXT)));
        assert_eq!(body["data"]["ends"]["failed"], 1);
    }

    let pushed = pushed.lock().unwrap().clone();
    assert_eq!(pushed.len(), 1);
    assert_eq!((pushed[0].body.as_str(), pushed[0].headers["title"].as_str()), (TEXT, "Your photo vault"));
    assert_eq!(pushed[0].headers["authorization"], "Bearer tk_1");

    let mailed = mailed.lock().unwrap().clone();
    assert_eq!(mailed.len(), 1);
    for line in ["MAIL FROM:<photos@example.org>", "RCPT TO:<ann@example.org>", "From: Photos <photos@example.org>"] {
        assert!(mailed[0].contains(&format!("{line}\r\n")), "{line}");
    }
    assert!(mailed[0].contains(&BASE64_STANDARD.encode("\0ann\0pass:word")) && mailed[0].contains(&BASE64_STANDARD.encode(TEXT)));
}

#[tokio::test]
async fn a_channel_that_will_never_take_it_ends_with_the_reason_and_holds_up_no_other() {
    for (answer, why) in [(404, "404"), (410, "410"), (302, "redirects are not followed")] {
        let (hook, hooked) = http(&[answer]).await;
        let (push, pushed) = http(&[]).await;
        let (mail, _) = smtp("550 nobody here\r\n").await;
        let to = "ann@example.org".to_owned();
        let (fabric, vault) = vault(&mail, vec![webhook(&hook), Channel::Email { to }, ntfy(&push)]).await;
        let mailings = run(&fabric, &vault).await;
        assert!(matches!(end(&mailings, Medium::Webhook), MailingEnd::Refused(it) if it.contains(why)), "{mailings:?}");
        assert!(matches!(end(&mailings, Medium::Email), MailingEnd::Refused(it) if it.contains("550 nobody here")));
        assert_eq!(end(&mailings, Medium::Ntfy), MailingEnd::Sent);
        assert_eq!((hooked.lock().unwrap().len(), pushed.lock().unwrap().len()), (1, 1));
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_again_where_it_could_not_be_told_apart() {
    let (push, pushed) = http(&[0]).await;
    let (hook, hooked) = http(&[0]).await;
    let (fabric, vault) = vault("", vec![ntfy(&push), webhook(&hook)]).await;
    let mailings = run(&fabric, &vault).await;
    assert!(matches!(end(&mailings, Medium::Ntfy), MailingEnd::Unknown(_)));
    assert_eq!(end(&mailings, Medium::Webhook), MailingEnd::Sent);
    assert_eq!((pushed.lock().unwrap().len(), hooked.lock().unwrap().len()), (1, 2));
}

#[tokio::test]
async fn a_secret_that_is_not_the_user_s_own_is_not_sent_away() {
    let (push, pushed) = http(&[]).await;
    let token = Some("ssm:/photovault/smtp".to_owned());
    let (fabric, vault) = vault("", vec![Channel::Ntfy { url: push, token }]).await;
    let mailings = run(&fabric, &vault).await;
    assert!(matches!(end(&mailings, Medium::Ntfy), MailingEnd::Refused(why) if why.contains("/users/ann/")));
    assert!(pushed.lock().unwrap().is_empty());
}
